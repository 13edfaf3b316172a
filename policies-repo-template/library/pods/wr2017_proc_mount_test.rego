package writ.proc_mount_test

import data.writ.proc_mount.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"allow_user_namespaces": true},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"allow_user_namespaces": true},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"allow_user_namespaces": true},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "securityContext": {"procMount": "Default"}}

bad := {"name": "app", "securityContext": {"procMount": "Unmasked"}}

test_absent_type_passes if {
	every context in [{}, null, {"procMount": null}] {
		count(deny) == 0 with input as pod({"containers": [{"name": "app", "securityContext": context}]})
	}
}

test_other_types_fail if {
	every type in ["Unmasked", "default", "", 7] {
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "securityContext": {"procMount": type}}]})
	}
}

test_user_namespace_may_see_it_unless_the_fleet_says_no if {
	spec := {"hostUsers": false, "containers": [bad]}
	count(deny) == 0 with input as pod(spec)
	count(deny) == 1 with input as given(spec, {"allow_user_namespaces": false})
	count(deny) == 1 with input as pod({"hostUsers": true, "containers": [bad]})
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
