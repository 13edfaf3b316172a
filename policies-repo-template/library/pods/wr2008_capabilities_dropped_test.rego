package writ.capabilities_dropped_test

import data.writ.capabilities_dropped.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"capabilities": ["NET_RAW"]},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"capabilities": ["NET_RAW"]},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"capabilities": ["NET_RAW"]},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "securityContext": {"capabilities": {"drop": ["NET_RAW"]}}}

bad := {"name": "app"}

keeps(reason) := {concat("", ["Container \"app\" keeps capability NET_RAW: ", reason])}

with_context(context) := {"containers": [{"name": "app", "securityContext": context}]}

test_dropped_by_name_or_with_all_passes if {
	every drop in [["NET_RAW"], ["ALL"], ["KILL", "NET_RAW"], "ALL"] {
		count(deny) == 0 with input as pod(with_context({"capabilities": {"drop": drop}}))
	}
	count(deny) == 0 with input as pod(with_context({"privileged": false, "capabilities": {"drop": ["ALL"], "add": ["KILL"]}}))
}

test_kept_by_default_fails if {
	every context in [{}, null, {"capabilities": null}, {"capabilities": {"drop": []}}, {"capabilities": {"drop": ["KILL"]}}, {"capabilities": {"drop": ["net_raw"]}}] {
		deny == keeps("it is not dropped") with input as pod(with_context(context))
	}
}

test_added_fails_whatever_is_dropped if {
	every add in [["NET_RAW"], ["ALL"], ["net_raw"], ["CAP_NET_RAW"], "NET_RAW"] {
		deny == keeps("it is added") with input as pod(with_context({"capabilities": {"drop": ["ALL"], "add": add}}))
	}
}

test_privileged_container_has_all_capabilities if {
	deny == keeps("it is privileged") with input as pod(with_context({"privileged": true, "capabilities": {"drop": ["ALL"]}}))
}

test_capabilities_are_a_parameter if {
	parameters := {"capabilities": ["NET_RAW", "SYS_PTRACE"]}
	count(deny) == 1 with input as given({"containers": [good]}, parameters)
	count(deny) == 2 with input as given({"containers": [bad]}, parameters)
	count(deny) == 0 with input as given(with_context({"capabilities": {"drop": ["ALL"]}}), parameters)
}

test_windows_has_no_capabilities if {
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
