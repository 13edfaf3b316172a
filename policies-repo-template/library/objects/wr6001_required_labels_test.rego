package writ.required_labels_test

import data.writ.required_labels.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"labels": {"owner": ""}},
}

on(operation, object) := {
	"review": {"kind": {"kind": "Deployment"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"labels": {"owner": ""}},
}

carrying(values) := {"metadata": {"name": "web", "labels": values}}

bad := carrying({})

test_value_that_matches_passes if {
	every kind in ["Namespace", "Service", "Deployment", "StatefulSet", "DaemonSet", "CronJob"] {
		count(deny) == 0 with input as reviewed(kind, carrying({"owner": "team-shop", "other": "x"}))
	}
}

test_missing_value_fails if {
	every values in [{}, null, {"owner": ""}, {"owner": null}, {"owner": 7}, {"Owner": "team-shop"}, "text"] {
		deny == {"Label owner is missing on Deployment \"web\""} with input as reviewed("Deployment", carrying(values))
	}
	every object in [{}, {"metadata": null}, null] {
		count(deny) == 1 with input as reviewed("Deployment", object)
	}
}

test_value_that_does_not_match_fails if {
	parameters := {"labels": {"tier": "^(gold|silver)$"}}
	review := reviewed("Namespace", carrying({"tier": "golden"})).review
	deny == {"Label tier is \"golden\", which does not match ^(gold|silver)$ on Namespace \"web\""} with input as {"review": review, "parameters": parameters}
	good := reviewed("Namespace", carrying({"tier": "gold"})).review
	count(deny) == 0 with input as {"review": good, "parameters": parameters}
}

test_each_is_judged if {
	parameters := {"labels": {"a": "", "b": "", "c": "^x"}}
	review := reviewed("Service", carrying({"a": "1", "c": "y"})).review
	count(deny) == 2 with input as {"review": review, "parameters": parameters}
}

test_pattern_that_is_none_lets_nothing_through if {
	review := reviewed("Service", carrying({"a": "1"})).review
	count(deny) == 1 with input as {"review": review, "parameters": {"labels": {"a": "("}}}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
