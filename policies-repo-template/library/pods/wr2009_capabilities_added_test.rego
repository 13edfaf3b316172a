package writ.capabilities_added_test

import data.writ.capabilities_added.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"allowed": []},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"allowed": []},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"allowed": []},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "securityContext": {"capabilities": {"drop": ["ALL"], "add": []}}}

bad := {"name": "app", "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}

adding(add) := {"containers": [{"name": "app", "securityContext": {"capabilities": {"add": add}}}]}

test_containers_that_add_nothing_pass if {
	every add in [[], null] {
		count(deny) == 0 with input as pod(adding(add))
	}
	count(deny) == 0 with input as pod({"containers": [{"name": "app"}]})
}

test_each_capability_is_named if {
	deny == {"Container \"app\" adds capability CHOWN", "Container \"app\" adds capability KILL"} with input as pod(adding(["CHOWN", "KILL"]))
	count(deny) == 1 with input as pod(adding("CHOWN"))
}

test_list_is_a_parameter if {
	count(deny) == 0 with input as given(adding(["NET_BIND_SERVICE"]), {"allowed": ["NET_BIND_SERVICE"]})
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
