package writ.service_types_test

import data.writ.service_types.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"types": ["LoadBalancer", "NodePort"]},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Service"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"types": ["LoadBalancer", "NodePort"]},
}

service(type) := {"metadata": {"name": "web"}, "spec": {"type": type}}

bad := service("LoadBalancer")

test_services_of_the_cluster_pass if {
	every type in ["ClusterIP", "ExternalName", "", null] {
		count(deny) == 0 with input as reviewed("Service", service(type))
	}
	every object in [{}, null, {"spec": {}}, {"spec": null}] {
		count(deny) == 0 with input as reviewed("Service", object)
	}
}

test_other_types_fail if {
	every type in ["LoadBalancer", "NodePort"] {
		deny == {sprintf("Service \"web\" is of type %s", [type])} with input as reviewed("Service", service(type))
	}
}

test_types_are_a_parameter if {
	review := reviewed("Service", service("NodePort")).review
	count(deny) == 0 with input as {"review": review, "parameters": {"types": ["LoadBalancer"]}}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
