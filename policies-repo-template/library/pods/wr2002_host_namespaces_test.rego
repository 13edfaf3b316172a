package writ.host_namespaces_test

import data.writ.host_namespaces.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
}

test_pods_of_their_own_pass if {
	every spec in [{"hostNetwork": false, "hostPID": false, "hostIPC": false}, {"hostNetwork": null}, {"hostUsers": false}, {"shareProcessNamespace": true}] {
		count(deny) == 0 with input as pod(spec)
	}
}

test_each_namespace_is_named if {
	every field in ["hostNetwork", "hostPID", "hostIPC"] {
		deny == {sprintf("Pod shares the node's namespaces: %s is set", [field])} with input as pod({field: true})
	}
	count(deny) == 3 with input as pod({"hostNetwork": true, "hostPID": true, "hostIPC": true})
}

test_odd_values_do_not_hide_it if {
	every value in ["true", 1, [], {}] {
		count(deny) == 1 with input as pod({"hostPID": value})
	}
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated({"hostPID": true}, {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated({"hostPID": true}, {"hostPID": true})
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted({"hostPID": true})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
