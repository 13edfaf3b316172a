package writ.policy_host_path_test

import data.writ.policy_host_path.deny

pod(volumes) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": {"volumes": volumes}}}}

found := {"hostPath is configured for volume \"host\""}

test_other_volumes_pass if {
	count(deny) == 0 with input as pod([
		{"name": "config", "configMap": {"name": "app"}},
		{"name": "tmp", "emptyDir": {}},
	])
}

test_host_path_fails if {
	deny == found with input as pod([{"name": "host", "hostPath": {"path": "/var/run"}}])
}

test_each_volume_is_named if {
	deny == {
		"hostPath is configured for volume \"host\"",
		"hostPath is configured for volume \"sock\"",
	} with input as pod([
		{"name": "host", "hostPath": {"path": "/"}},
		{"name": "tmp", "emptyDir": {}},
		{"name": "sock", "hostPath": {"path": "/run/containerd.sock", "type": "Socket"}},
	])
}

test_odd_types_do_not_hide_it if {
	every value in [{}, "", "/", true, false, [], 0] {
		deny == found with input as pod([{"name": "host", "hostPath": value}])
	}
	deny == found with input as pod({"name": "host", "hostPath": {"path": "/"}})
}

test_null_is_absent if {
	count(deny) == 0 with input as pod([{"name": "host", "hostPath": null}])
}

test_volume_without_name_is_named_by_its_place if {
	deny == {"hostPath is configured for volume \"volumes[1]\""} with input as pod([{"name": "a"}, {"hostPath": {"path": "/"}}])
}

test_nothing_to_judge_passes if {
	every volumes in [[], null, "text", [null]] {
		count(deny) == 0 with input as pod(volumes)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {"spec": "text"}}}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod([{"name": "host", "hostPath": {"path": "/"}}]).review
	deny == found with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
