package writ.external_ips_test

import data.writ.external_ips.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"allowed": []},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Service"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"allowed": []},
}

service(ips) := {"metadata": {"name": "web"}, "spec": {"externalIPs": ips}}

bad := service(["1.1.1.1"])

test_services_without_them_pass if {
	every ips in [[], null] {
		count(deny) == 0 with input as reviewed("Service", service(ips))
	}
	every object in [{}, null, {"spec": {}}, {"spec": null}] {
		count(deny) == 0 with input as reviewed("Service", object)
	}
}

test_each_address_is_named if {
	deny == {"Service \"web\" takes the external IP 1.1.1.1", "Service \"web\" takes the external IP 2001:db8::1"} with input as reviewed("Service", service(["1.1.1.1", "2001:db8::1"]))
	count(deny) == 1 with input as reviewed("Service", service("1.1.1.1"))
	count(deny) == 1 with input as reviewed("Service", service([7]))
}

test_addresses_can_be_allowed if {
	review := reviewed("Service", service(["203.0.113.1", "203.0.113.10"])).review
	deny == {"Service \"web\" takes the external IP 203.0.113.10"} with input as {"review": review, "parameters": {"allowed": ["203.0.113.1"]}}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
