package writ.minimum_replicas_test

import data.writ.minimum_replicas.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"minimum": 2, "allow_zero": true},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Deployment"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"minimum": 2, "allow_zero": true},
}

asking(replicas) := {"metadata": {"name": "web"}, "spec": {"replicas": replicas}}

bad := asking(1)

test_enough_replicas_pass if {
	every kind in ["Deployment", "StatefulSet", "Scale"] {
		every replicas in [2, 3, 100, 0] {
			count(deny) == 0 with input as reviewed(kind, asking(replicas))
		}
	}
}

test_too_few_replicas_fail if {
	every kind in ["Deployment", "StatefulSet", "Scale"] {
		deny == {"\"web\" asks for 1 replicas, not for at least 2"} with input as reviewed(kind, bad)
	}
}

test_absent_number_is_one if {
	every spec in [{}, {"replicas": null}, {"minReplicas": 5}] {
		count(deny) == 1 with input as reviewed("Deployment", {"metadata": {"name": "web"}, "spec": spec})
	}
}

test_autoscaler_is_judged_by_its_minimum if {
	every spec in [{}, {"minReplicas": 1}, {"minReplicas": null, "maxReplicas": 9}, {"replicas": 9}] {
		count(deny) == 1 with input as reviewed("HorizontalPodAutoscaler", {"spec": spec})
	}
	count(deny) == 0 with input as reviewed("HorizontalPodAutoscaler", {"spec": {"minReplicas": 2}})
}

test_odd_numbers_fail if {
	every replicas in ["3", true, [], -1] {
		count(deny) == 1 with input as reviewed("Deployment", asking(replicas))
	}
}

test_minimum_and_zero_are_parameters if {
	review := reviewed("Deployment", asking(2)).review
	count(deny) == 1 with input as {"review": review, "parameters": {"minimum": 3, "allow_zero": true}}
	stopped := reviewed("Deployment", asking(0)).review
	count(deny) == 1 with input as {"review": stopped, "parameters": {"minimum": 2, "allow_zero": false}}
}

test_nothing_to_judge_passes if {
	every object in [{}, null, {"spec": null}, {"spec": "text"}] {
		count(deny) == 0 with input as reviewed("Deployment", object)
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
