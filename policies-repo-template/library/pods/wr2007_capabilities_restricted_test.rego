package writ.capabilities_restricted_test

import data.writ.capabilities_restricted.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"allowed": ["NET_BIND_SERVICE"]},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"allowed": ["NET_BIND_SERVICE"]},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"allowed": ["NET_BIND_SERVICE"]},
}

good := {"name": "app", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}

bad := {"name": "app", "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}

with_capabilities(capabilities) := {"containers": [{"name": "app", "securityContext": {"capabilities": capabilities}}]}

test_dropping_all_passes if {
	every drop in [["ALL"], ["KILL", "ALL"], "ALL"] {
		count(deny) == 0 with input as pod(with_capabilities({"drop": drop}))
	}
}

test_dropping_less_fails if {
	every capabilities in [{}, null, {"drop": []}, {"drop": null}, {"drop": ["NET_RAW"]}, {"drop": ["all"]}, {"drop": {"ALL": true}}, "ALL"] {
		deny == {"Container \"app\" does not drop ALL capabilities"} with input as pod(with_capabilities(capabilities))
	}
	every container in [{"name": "app"}, {"name": "app", "securityContext": null}] {
		count(deny) == 1 with input as pod({"containers": [container]})
	}
}

test_pod_cannot_drop_for_its_containers if {
	count(deny) == 1 with input as pod({"securityContext": {"capabilities": {"drop": ["ALL"]}}, "containers": [{"name": "app"}]})
}

test_adding_more_than_the_standard_allows_fails if {
	every add in [["NET_RAW"], ["CHOWN"], ["ALL"], "SYS_ADMIN", ["NET_BIND_SERVICE", "KILL"], ["CAP_NET_BIND_SERVICE"]] {
		count(deny) == 1 with input as pod(with_capabilities({"drop": ["ALL"], "add": add}))
	}
}

test_windows_has_no_capabilities if {
	count(deny) == 0 with input as pod({"os": {"name": "windows"}, "containers": [{"name": "app"}]})
	every os in [{"name": "linux"}, {}, null] {
		count(deny) == 1 with input as pod({"os": os, "containers": [{"name": "app"}]})
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
