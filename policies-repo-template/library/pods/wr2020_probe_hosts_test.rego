package writ.probe_hosts_test

import data.writ.probe_hosts.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
}

good := {"name": "app", "livenessProbe": {"httpGet": {"port": 80, "host": ""}}, "lifecycle": {"preStop": {"exec": {"command": ["stop"]}}}}

bad := {"name": "app", "livenessProbe": {"httpGet": {"port": 80, "host": "10.0.0.1"}}}

test_every_probe_and_hook_is_judged if {
	every handler in [{"httpGet": {"host": "127.0.0.1"}}, {"tcpSocket": {"host": "metadata"}}, {"httpGet": {"host": 7}}] {
		every place in ["livenessProbe", "readinessProbe", "startupProbe"] {
			count(deny) == 1 with input as pod({"containers": [{"name": "app", place: handler}]})
		}
		every place in ["postStart", "preStop"] {
			count(deny) == 1 with input as pod({"containers": [{"name": "app", "lifecycle": {place: handler}}]})
		}
	}
}

test_message_names_probe_and_host if {
	deny == {"livenessProbe of container \"app\" asks the host 10.0.0.1"} with input as pod({"containers": [bad]})
}

test_absent_host_passes if {
	every handler in [{"httpGet": {"port": 80}}, {"tcpSocket": {"host": null}}, {"exec": {}}, {"grpc": {"port": 1}}, {}, null] {
		count(deny) == 0 with input as pod({"containers": [{"name": "app", "readinessProbe": handler, "lifecycle": {"preStop": handler}}]})
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
