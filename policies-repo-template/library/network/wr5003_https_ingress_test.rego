package writ.https_ingress_test

import data.writ.https_ingress.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"annotations": {}},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Ingress"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"annotations": {}},
}

ingress(rules, tls) := {"metadata": {"name": "web"}, "spec": {"rules": rules, "tls": tls}}

bad := ingress([{"host": "shop.example"}], [])

test_hosts_with_tls_pass if {
	every tls in [
		[{"hosts": ["shop.example"], "secretName": "shop"}], [{"hosts": ["*.example"]}], [{"hosts": ["SHOP.example"]}], [{}],
		[{"hosts": []}], [{"hosts": ["x.example"]}, {"hosts": ["shop.example"]}],
	] {
		count(deny) == 0 with input as reviewed("Ingress", ingress([{"host": "shop.example"}], tls))
	}
}

test_hosts_without_tls_fail if {
	every tls in [[], null, [{"hosts": ["pay.example"]}], [{"hosts": ["example"]}], [{"hosts": ["*.shop.example"]}], ["shop.example"], [null]] {
		deny == {"Ingress \"web\" has no TLS for shop.example"} with input as reviewed("Ingress", ingress([{"host": "shop.example"}], tls))
	}
	count(deny) == 1 with input as reviewed("Ingress", ingress([{"host": "a.shop.example"}], [{"hosts": ["*.example"]}]))
}

test_each_host_is_judged if {
	rules := [{"host": "a.example"}, {"host": "b.example"}, {"host": "c.example"}]
	deny == {"Ingress \"web\" has no TLS for b.example", "Ingress \"web\" has no TLS for c.example"} with input as reviewed("Ingress", ingress(rules, [{"hosts": ["a.example"]}]))
}

test_ingress_for_all_hosts_needs_tls_for_all if {
	every object in [ingress([{}], []), ingress([{"http": {}}], [{"hosts": ["shop.example"]}]), {"metadata": {"name": "web"}, "spec": {"defaultBackend": {}}}] {
		deny == {"Ingress \"web\" has no TLS for hosts that it does not name"} with input as reviewed("Ingress", object)
	}
	count(deny) == 0 with input as reviewed("Ingress", ingress([{}], [{"secretName": "all"}]))
}

test_annotations_can_be_asked_for if {
	parameters := {"annotations": {"kubernetes.io/ingress.allow-http": "false"}}
	good := ingress([{"host": "shop.example"}], [{}])
	deny == {"Ingress \"web\" accepts plain HTTP: annotation kubernetes.io/ingress.allow-http is not \"false\""} with input as {"review": reviewed("Ingress", good).review, "parameters": parameters}
	annotated := object.union(good, {"metadata": {"annotations": {"kubernetes.io/ingress.allow-http": "false"}}})
	count(deny) == 0 with input as {"review": reviewed("Ingress", annotated).review, "parameters": parameters}
}

test_nothing_to_judge_passes if {
	every object in [{}, null, {"spec": null}, {"spec": {}}, {"spec": {"rules": null}}, {"spec": {"rules": ["text"]}}] {
		count(deny) == 0 with input as reviewed("Ingress", object)
	}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
