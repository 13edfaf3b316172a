package writ.required_annotations_test

import data.writ.required_annotations.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"annotations": {"contact": "^[^@ ]+@[^@ ]+$"}},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Deployment"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"annotations": {"contact": "^[^@ ]+@[^@ ]+$"}},
}

carrying(values) := {"metadata": {"name": "web", "annotations": values}}

bad := carrying({})

test_value_that_matches_passes if {
	every kind in ["Namespace", "Service", "Deployment", "StatefulSet", "DaemonSet", "CronJob"] {
		count(deny) == 0 with input as reviewed(kind, carrying({"contact": "shop@example.com", "other": "x"}))
	}
}

test_missing_value_fails if {
	every values in [{}, null, {"contact": ""}, {"contact": null}, {"contact": 7}, {"Contact": "shop@example.com"}, "text"] {
		deny == {"Annotation contact is missing on Deployment \"web\""} with input as reviewed("Deployment", carrying(values))
	}
	every object in [{}, {"metadata": null}, null] {
		count(deny) == 1 with input as reviewed("Deployment", object)
	}
}

test_value_that_does_not_match_fails if {
	parameters := {"annotations": {"tier": "^(gold|silver)$"}}
	review := reviewed("Namespace", carrying({"tier": "golden"})).review
	deny == {"Annotation tier is \"golden\", which does not match ^(gold|silver)$ on Namespace \"web\""} with input as {"review": review, "parameters": parameters}
	good := reviewed("Namespace", carrying({"tier": "gold"})).review
	count(deny) == 0 with input as {"review": good, "parameters": parameters}
}

test_each_is_judged if {
	parameters := {"annotations": {"a": "", "b": "", "c": "^x"}}
	review := reviewed("Service", carrying({"a": "1", "c": "y"})).review
	count(deny) == 2 with input as {"review": review, "parameters": parameters}
}

test_pattern_that_is_none_lets_nothing_through if {
	review := reviewed("Service", carrying({"a": "1"})).review
	count(deny) == 1 with input as {"review": review, "parameters": {"annotations": {"a": "("}}}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
