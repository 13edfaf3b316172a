package writ.privilege_escalation_test

import data.writ.privilege_escalation.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
}

good := {"name": "app", "securityContext": {"allowPrivilegeEscalation": false}}

bad := {"name": "app", "securityContext": {"allowPrivilegeEscalation": true}}

test_only_false_passes if {
	every context in [{}, null, {"allowPrivilegeEscalation": null}, {"allowPrivilegeEscalation": "false"}, {"allowPrivilegeEscalation": 0}, {"privileged": false}] {
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "securityContext": context}]})
	}
	count(deny) == 1 with input as pod({"containers": [{"name": "app"}]})
}

test_pod_cannot_speak_for_its_containers if {
	count(deny) == 1 with input as pod({"securityContext": {"allowPrivilegeEscalation": false}, "containers": [{"name": "app"}]})
}

test_windows_is_left_alone if {
	count(deny) == 0 with input as pod({"os": {"name": "windows"}, "containers": [{"name": "app"}]})
	count(deny) == 1 with input as pod({"os": {"name": "linux"}, "containers": [{"name": "app"}]})
}

test_containers_of_every_list_are_judged if {
	every list in ["containers", "initContainers", "ephemeralContainers"] {
		count(deny) == 1 with input as pod({list: [bad]})
		count(deny) == 0 with input as pod({list: [good]})
	}
}

test_each_container_is_judged_by_itself if {
	other := object.union(bad, {"name": "log"})
	count(deny) == 2 with input as pod({"containers": [bad, good, other]})
}

test_container_without_name_is_named_by_its_place if {
	found := deny with input as pod({"containers": [good, object.remove(bad, ["name"])]})
	count(found) == 1
	every msg in found {
		contains(msg, "containers[1]")
	}
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated({"containers": [bad]}, {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated({"containers": [bad]}, {"containers": [bad]})
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted({"containers": [bad]})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
