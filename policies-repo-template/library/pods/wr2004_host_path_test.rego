package writ.host_path_test

import data.writ.host_path.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"paths": []},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"paths": []},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"paths": []},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

volumes(path) := {"volumes": [{"name": "data", "hostPath": {"path": path}}]}

test_other_volumes_pass if {
	count(deny) == 0 with input as pod({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": null}, "text"]})
}

test_host_path_fails if {
	every source in [{"path": "/"}, {"path": "/var/log", "type": "Directory"}, {}, "text", 7] {
		deny == {"Volume \"data\" mounts a path of the node"} with input as pod({"volumes": [{"name": "data", "hostPath": source}]})
	}
}

test_each_volume_is_named if {
	count(deny) == 2 with input as pod({"volumes": [{"name": "a", "hostPath": {}}, {"hostPath": {}}, {"name": "c", "secret": {}}]})
}

test_paths_can_be_allowed if {
	parameters := {"paths": ["/var/log/", "/opt/data"]}
	every path in ["/var/log", "/var/log/", "/var/log/pods", "/opt/data/x"] {
		count(deny) == 0 with input as given(volumes(path), parameters)
	}
	every path in ["/var", "/var/logs", "/var/log/../../etc", "/opt/database", "", null, 7] {
		count(deny) == 1 with input as given(volumes(path), parameters)
	}
}

test_empty_allowed_path_allows_nothing if {
	count(deny) == 1 with input as given(volumes("/etc"), {"paths": ["", "/"]})
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated(volumes("/etc"), {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated(volumes("/etc"), volumes("/etc"))
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted(volumes("/etc"))
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
