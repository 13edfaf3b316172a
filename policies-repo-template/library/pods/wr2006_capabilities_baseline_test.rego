package writ.capabilities_baseline_test

import data.writ.capabilities_baseline.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": defaults,
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": defaults,
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": defaults,
}

defaults := {"allowed": ["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "securityContext": {"capabilities": {"add": ["CHOWN", "NET_BIND_SERVICE"]}}}

bad := {"name": "app", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}

adding(add) := {"containers": [{"name": "app", "securityContext": {"capabilities": {"add": add}}}]}

test_capabilities_of_the_standard_pass if {
	every capability in [
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
		"SETPCAP", "SETUID", "SYS_CHROOT",
	] {
		count(deny) == 0 with input as pod(adding([capability]))
	}
}

test_other_capabilities_fail if {
	every capability in ["NET_RAW", "SYS_ADMIN", "NET_ADMIN", "ALL", "CAP_CHOWN", "chown", "", null, 7] {
		deny == {sprintf("Container \"app\" adds capability %v", [capability])} with input as pod(adding([capability]))
	}
}

test_lone_capability_is_judged if count(deny) == 1 with input as pod(adding("SYS_ADMIN"))

test_what_is_dropped_does_not_matter if {
	count(deny) == 1 with input as pod({"containers": [{"name": "app", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}}]})
	count(deny) == 0 with input as pod({"containers": [{"name": "app", "securityContext": {"capabilities": {"drop": ["SYS_ADMIN"]}}}]})
}

test_list_is_a_parameter if {
	count(deny) == 0 with input as given(adding(["NET_RAW"]), {"allowed": ["NET_RAW"]})
	count(deny) == 1 with input as given(adding(["CHOWN"]), {"allowed": []})
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
