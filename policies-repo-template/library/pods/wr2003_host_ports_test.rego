package writ.host_ports_test

import data.writ.host_ports.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"ports": []},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"ports": []},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"ports": []},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "ports": [{"containerPort": 8080}, {"containerPort": 81, "hostPort": 0}, {"hostPort": null}]}

bad := {"name": "app", "ports": [{"containerPort": 8080}, {"containerPort": 80, "hostPort": 80}]}

test_each_port_is_named if {
	container := {"name": "app", "ports": [{"hostPort": 80}, {"hostPort": 443}, {"hostPort": "90"}]}
	deny == {
		"Container \"app\" takes port 80 of the node",
		"Container \"app\" takes port 443 of the node",
		"Container \"app\" takes port 90 of the node",
	} with input as pod({"containers": [container]})
}

test_known_ports_can_be_allowed if {
	count(deny) == 0 with input as given({"containers": [bad]}, {"ports": [80]})
	count(deny) == 1 with input as given({"containers": [bad]}, {"ports": [443]})
}

test_odd_ports_do_not_hide_others if {
	every ports in [{"http": {"hostPort": 80}}, ["text", {"hostPort": 80}]] {
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "ports": ports}]})
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
