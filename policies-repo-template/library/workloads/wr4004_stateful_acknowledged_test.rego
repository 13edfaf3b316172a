package writ.stateful_acknowledged_test

import data.writ.stateful_acknowledged.deny

reviewed(kind, object) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": "shop", "object": object},
	"parameters": {"annotation": "writ.dev/keeps-state"},
}

on(operation, object) := {
	"review": {"kind": {"kind": "StatefulSet"}, "operation": operation, "namespace": "shop", "object": object},
	"parameters": {"annotation": "writ.dev/keeps-state"},
}

annotated(annotations) := {"metadata": {"name": "db", "annotations": annotations}, "spec": {}}

bad := annotated({})

test_acknowledged_state_passes if {
	every value in ["yes", "true", "https://wiki.example/db-backup"] {
		count(deny) == 0 with input as reviewed("StatefulSet", annotated({"writ.dev/keeps-state": value}))
	}
}

test_state_without_a_word_fails if {
	every annotations in [{}, null, {"writ.dev/keeps-state": ""}, {"writ.dev/keeps-state": " "}, {"writ.dev/keeps-state": "false"}, {"writ.dev/keeps-state": "No"}, {"writ.dev/keeps-state": null}, {"writ.dev/keeps-state": true}, {"other": "yes"}] {
		deny == {"StatefulSet \"db\" keeps state without the annotation writ.dev/keeps-state"} with input as reviewed("StatefulSet", annotated(annotations))
	}
	count(deny) == 1 with input as reviewed("StatefulSet", {})
}

test_annotation_is_a_parameter if {
	review := reviewed("StatefulSet", annotated({"shop.example/backup": "daily"})).review
	count(deny) == 0 with input as {"review": review, "parameters": {"annotation": "shop.example/backup"}}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
