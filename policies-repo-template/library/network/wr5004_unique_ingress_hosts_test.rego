package writ.unique_ingress_hosts_test

import data.writ.unique_ingress_hosts.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"share_within_namespace": true},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Ingress"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"share_within_namespace": true},
}

ingress(name, hosts) := {"metadata": {"name": name, "namespace": "shop"}, "spec": {"rules": [{"host": host} | some host in hosts]}}

existing(namespace, name, hosts) := {namespace: {"networking.k8s.io/v1": {"Ingress": {name: object.union(ingress(name, hosts), {"metadata": {"namespace": namespace}})}}}}

taken := {"namespace": existing("pay", "front", ["shop.example", "pay.example"])}

bad := ingress("web", ["shop.example"])

test_host_of_its_own_passes if {
	every host in ["web.example", "a.shop.example", "*.shop.example"] {
		count(deny) == 0 with input as reviewed("Ingress", ingress("web", [host])) with data.inventory as taken
	}
}

test_host_of_another_namespace_fails if {
	every host in ["shop.example", "SHOP.example"] {
		deny == {"Host shop.example belongs to Ingress \"pay/front\" already"} with input as reviewed("Ingress", ingress("web", [host])) with data.inventory as taken
	}
	count(deny) == 2 with input as reviewed("Ingress", ingress("web", ["pay.example", "new.example", "shop.example"])) with data.inventory as taken
}

test_ingresses_for_all_hosts_are_in_each_others_way if {
	found := {"namespace": {"pay": {"networking.k8s.io/v1": {"Ingress": {"all": {"metadata": {"name": "all", "namespace": "pay"}, "spec": {"rules": [{"http": {}}]}}}}}}}
	count(deny) == 1 with input as reviewed("Ingress", {"metadata": {"name": "web"}, "spec": {"rules": [{}]}}) with data.inventory as found
}

test_ingress_is_not_in_its_own_way if {
	count(deny) == 0 with input as on("UPDATE", bad) with data.inventory as {"namespace": existing("shop", "web", ["shop.example"])}
	parameters := {"share_within_namespace": false}
	count(deny) == 0 with input as {"review": on("UPDATE", bad).review, "parameters": parameters} with data.inventory as {"namespace": existing("shop", "web", ["shop.example"])}
}

test_namespace_may_share_its_hosts_unless_the_fleet_says_no if {
	found := {"namespace": existing("shop", "api", ["shop.example"])}
	count(deny) == 0 with input as reviewed("Ingress", bad) with data.inventory as found
	count(deny) == 1 with input as {"review": reviewed("Ingress", bad).review, "parameters": {"share_within_namespace": false}} with data.inventory as found
}

test_missing_data_is_said if {
	expected := {"Hosts cannot be compared with those of other Ingresses (nothing is replicated: add networking.k8s.io/v1/Ingress to sync in fleet.yaml)"}
	deny == expected with input as reviewed("Ingress", bad)
	deny == expected with input as reviewed("Ingress", bad) with data.inventory as {}
}

test_nothing_to_judge_passes if {
	every object in [{}, null, {"spec": null}, {"spec": {"rules": null}}, {"spec": {"rules": ["text"]}}] {
		count(deny) == 0 with input as reviewed("Ingress", object) with data.inventory as taken
	}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad) with data.inventory as taken
	count(deny) == 0 with input as on("DELETE", bad) with data.inventory as taken
}
