package writ.disruption_budget_test

import data.writ.disruption_budget.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"from_replicas": 2},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Deployment"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"from_replicas": 2},
}

workload(replicas, labels) := {"metadata": {"name": "web"}, "spec": {"replicas": replicas, "template": {"metadata": {"labels": labels}}}}

bad := workload(2, {"app": "web"})

none := {"namespace": {"shop": {}}}

holding(selectors) := {"namespace": {"shop": {"policy/v1": {"PodDisruptionBudget": {sprintf("budget-%d", [index]): {"spec": {"selector": selector}} |
	some index, selector in selectors
}}}}}

test_workload_with_a_budget_passes if {
	every selector in [{"matchLabels": {"app": "web"}}, {}, {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}] {
		every kind in ["Deployment", "StatefulSet"] {
			count(deny) == 0 with input as reviewed(kind, bad) with data.inventory as holding([{"matchLabels": {"app": "x"}}, selector])
		}
	}
}

test_workload_without_one_fails if {
	every selector in [{"matchLabels": {"app": "api"}}, {"matchLabels": {"app": "web", "tier": "1"}}, null, "text"] {
		deny == {"No PodDisruptionBudget in namespace \"shop\" selects the pods of \"web\""} with input as reviewed("Deployment", bad) with data.inventory as holding([selector])
	}
	count(deny) == 1 with input as reviewed("Deployment", bad) with data.inventory as none
}

test_budget_of_another_namespace_does_not_count if {
	other := {"namespace": {"pay": holding([{}]).namespace.shop, "shop": {}}}
	count(deny) == 1 with input as reviewed("Deployment", bad) with data.inventory as other
}

test_missing_data_is_said if {
	expected := "No PodDisruptionBudget in namespace \"shop\" selects the pods of \"web\" (nothing is replicated: add policy/v1/PodDisruptionBudget to sync in fleet.yaml)"
	deny == {expected} with input as reviewed("Deployment", bad)
	deny == {expected} with input as reviewed("Deployment", bad) with data.inventory as {}
}

test_single_replicas_need_none if {
	every replicas in [0, 1, null] {
		count(deny) == 0 with input as reviewed("Deployment", workload(replicas, {"app": "web"})) with data.inventory as none
	}
	count(deny) == 0 with input as reviewed("Deployment", {"spec": {}}) with data.inventory as none
	review := reviewed("Deployment", workload(1, {})).review
	count(deny) == 1 with input as {"review": review, "parameters": {"from_replicas": 1}} with data.inventory as none
}

test_workload_without_labels_is_judged if {
	every template in [{}, {"metadata": {}}, {"metadata": {"labels": {}}}] {
		count(deny) == 1 with input as reviewed("Deployment", {"spec": {"replicas": 2, "template": template}}) with data.inventory as holding([{"matchLabels": {"app": "web"}}])
	}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad) with data.inventory as none
	count(deny) == 0 with input as on("DELETE", bad) with data.inventory as none
}
