package writ.seccomp_restricted_test

import data.writ.seccomp_restricted.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"types": ["RuntimeDefault", "Localhost"]},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"types": ["RuntimeDefault", "Localhost"]},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"types": ["RuntimeDefault", "Localhost"]},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}

bad := {"name": "app"}

profile(type) := {"seccompProfile": {"type": type}}

test_pod_speaks_for_its_containers if {
	every type in ["RuntimeDefault", "Localhost"] {
		every context in [{}, null, {"seccompProfile": null}, profile(null)] {
			count(deny) == 0 with input as pod({"securityContext": profile(type), "containers": [{"name": "app", "securityContext": context}]})
		}
	}
}

test_absent_profile_fails if {
	every context in [{}, null, {"seccompProfile": {}}, {"seccompProfile": "RuntimeDefault"}] {
		deny == {"Container \"app\" has no seccomp profile"} with input as pod({"securityContext": context, "containers": [{"name": "app"}]})
	}
}

test_other_types_fail_in_pod_and_container if {
	deny == {"Pod has the seccomp profile Unconfined"} with input as pod({"securityContext": profile("Unconfined"), "containers": [good]})
	spec := {"securityContext": profile("RuntimeDefault"), "containers": [{"name": "app", "securityContext": profile("Unconfined")}]}
	deny == {"Container \"app\" has the seccomp profile Unconfined"} with input as pod(spec)
}

test_types_are_a_parameter if {
	spec := {"containers": [{"name": "app", "securityContext": profile("Localhost")}]}
	count(deny) == 0 with input as pod(spec)
	count(deny) == 1 with input as given(spec, {"types": ["RuntimeDefault"]})
}

test_windows_is_left_alone if {
	count(deny) == 0 with input as pod({"os": {"name": "windows"}, "containers": [bad]})
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
