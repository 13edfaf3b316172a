package writ.network_policy_test

import data.writ.network_policy.deny

review(operation, labels, spec) := {"review": {
	"kind": {"kind": "Pod"},
	"operation": operation,
	"namespace": "shop",
	"object": {"metadata": {"labels": labels}, "spec": spec},
}}

web := review("CREATE", {"app": "web"}, {"containers": []})

none := {"namespace": {"shop": {}}}

holding(selectors) := {"namespace": {"shop": {"networking.k8s.io/v1": {"NetworkPolicy": {sprintf("policy-%d", [index]): {"spec": {"podSelector": selector}} |
	some index, selector in selectors
}}}}}

test_selected_pod_passes if {
	every selector in [{}, {"matchLabels": {"app": "web"}}, {"matchExpressions": [{"key": "app", "operator": "Exists"}]}] {
		count(deny) == 0 with input as web with data.inventory as holding([{"matchLabels": {"app": "x"}}, selector])
	}
}

test_policy_without_selector_selects_all if {
	found := {"namespace": {"shop": {"networking.k8s.io/v1": {"NetworkPolicy": {"all": {"spec": {}}}}}}}
	count(deny) == 0 with input as web with data.inventory as found
}

test_pod_that_no_policy_selects_fails if {
	every selector in [{"matchLabels": {"app": "api"}}, {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}] {
		deny == {"No NetworkPolicy in namespace \"shop\" selects the pod"} with input as web with data.inventory as holding([selector])
	}
	count(deny) == 1 with input as web with data.inventory as none
	count(deny) == 1 with input as review("CREATE", null, {}) with data.inventory as holding([{"matchLabels": {"app": "web"}}])
}

test_policy_of_another_namespace_does_not_count if {
	count(deny) == 1 with input as web with data.inventory as {"namespace": {"pay": holding([{}]).namespace.shop}}
}

test_missing_data_is_said if {
	expected := "No NetworkPolicy in namespace \"shop\" selects the pod (nothing is replicated: add networking.k8s.io/v1/NetworkPolicy to sync in fleet.yaml)"
	deny == {expected} with input as web
	deny == {expected} with input as web with data.inventory as {}
}

test_pod_in_the_nodes_network_is_beyond_policies if {
	count(deny) == 0 with input as review("CREATE", {}, {"hostNetwork": true}) with data.inventory as none
}

test_nothing_to_judge_passes if {
	every spec in [null, "text"] {
		count(deny) == 0 with input as review("CREATE", {}, spec) with data.inventory as none
	}
}

test_update_and_deletion if {
	count(deny) == 1 with input as review("UPDATE", {}, {}) with data.inventory as none
	count(deny) == 0 with input as review("DELETE", {}, {}) with data.inventory as none
}
