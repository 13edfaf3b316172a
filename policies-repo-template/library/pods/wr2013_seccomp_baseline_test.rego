package writ.seccomp_baseline_test

import data.writ.seccomp_baseline.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
}

good := {"name": "app", "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}

bad := {"name": "app", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}

test_absent_profile_passes if {
	every context in [{}, null, {"seccompProfile": null}, {"seccompProfile": {}}, {"seccompProfile": {"type": null}}] {
		count(deny) == 0 with input as pod({"securityContext": context, "containers": [{"name": "app", "securityContext": context}]})
	}
}

test_localhost_passes if {
	profile := {"seccompProfile": {"type": "Localhost", "localhostProfile": "shop.json"}}
	count(deny) == 0 with input as pod({"securityContext": profile, "containers": [{"name": "app", "securityContext": profile}]})
}

test_other_types_fail_in_pod_and_container if {
	every type in ["Unconfined", "runtime/default", "", 7] {
		profile := {"seccompProfile": {"type": type}}
		count(deny) == 1 with input as pod({"securityContext": profile, "containers": [good]})
		count(deny) == 1 with input as pod({"securityContext": good.securityContext, "containers": [{"name": "app", "securityContext": profile}]})
	}
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
