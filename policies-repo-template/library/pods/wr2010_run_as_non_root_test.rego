package writ.run_as_non_root_test

import data.writ.run_as_non_root.deny

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

good := {"name": "app", "securityContext": {"runAsNonRoot": true}}

bad := {"name": "app"}

context_of_both(of_pod, of_container) := {"securityContext": of_pod, "containers": [{"name": "app", "securityContext": of_container}]}

test_pod_speaks_for_its_containers if {
	every context in [{}, null, {"runAsNonRoot": null}, {"runAsUser": 1000}, {"runAsNonRoot": true}] {
		count(deny) == 0 with input as pod(context_of_both({"runAsNonRoot": true}, context))
	}
	count(deny) == 0 with input as pod({"securityContext": {"runAsNonRoot": true}, "containers": [{"name": "app"}]})
}

test_container_wins_over_the_pod if {
	every value in [false, "true", 1] {
		deny == {"Container \"app\" may run as root: runAsNonRoot is not true"} with input as pod(context_of_both({"runAsNonRoot": true}, {"runAsNonRoot": value}))
	}
}

test_pod_that_allows_root_fails_whatever_its_containers_say if {
	deny == {"Pod sets runAsNonRoot to false"} with input as pod(context_of_both({"runAsNonRoot": false}, {"runAsNonRoot": true}))
}

test_user_that_is_not_root_is_not_enough if {
	every context in [{}, {"runAsUser": 1000}, null] {
		count(deny) == 1 with input as pod(context_of_both({"runAsUser": 1000}, context))
	}
}

test_user_root_fails_in_pod_and_container if {
	deny == {"Pod runs as root: runAsUser is 0"} with input as pod(context_of_both({"runAsNonRoot": true, "runAsUser": 0}, {"runAsUser": 1000}))
	deny == {"Container \"app\" runs as root: runAsUser is 0"} with input as pod(context_of_both({"runAsNonRoot": true}, {"runAsUser": 0}))
	count(deny) == 0 with input as pod(context_of_both({"runAsNonRoot": true, "runAsUser": null}, {"runAsUser": null}))
}

test_windows_is_judged_too if {
	count(deny) == 1 with input as pod({"os": {"name": "windows"}, "containers": [bad]})
}

test_root_of_a_user_namespace_passes_unless_the_fleet_says_no if {
	spec := {"hostUsers": false, "securityContext": {"runAsNonRoot": false, "runAsUser": 0}, "containers": [bad]}
	count(deny) == 0 with input as pod(spec)
	count(deny) == 3 with input as given(spec, {"allow_user_namespaces": false})
	every host_users in [true, null, "false"] {
		count(deny) == 1 with input as pod({"hostUsers": host_users, "containers": [bad]})
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
