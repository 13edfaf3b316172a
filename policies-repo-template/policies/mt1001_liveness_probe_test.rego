package writ.policy_liveness_probe_test

import data.writ.policy_liveness_probe.deny

probe := {"httpGet": {"path": "/healthz", "port": 8080}}

good := {"name": "web", "livenessProbe": probe}

bad := {"name": "app", "image": "registry.example/app:1"}

pod(spec) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}}}

workload(kind, spec) := {"review": {
	"kind": {"group": "apps", "kind": kind},
	"operation": "CREATE",
	"object": {"spec": {"template": {"spec": spec}}},
}}

test_container_with_probe_passes if {
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		count(deny) == 0 with input as workload(kind, {"containers": [good]})
	}
	count(deny) == 0 with input as pod({"containers": [good]})
}

test_container_without_probe_fails_in_every_kind if {
	expected := {"Liveness Probe missing for container \"app\""}
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		deny == expected with input as workload(kind, {"containers": [bad]})
	}
	deny == expected with input as pod({"containers": [bad]})
}

test_each_container_is_named if {
	deny == {
		"Liveness Probe missing for container \"app\"",
		"Liveness Probe missing for container \"log\"",
	} with input as pod({"containers": [bad, good, {"name": "log"}]})
}

test_probe_that_says_nothing_is_missing if {
	every value in [{}, null, "yes", true, [], ["x"]] {
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "livenessProbe": value}]})
	}
}

test_the_other_probe_does_not_count if {
	container := {"name": "app", "startupProbe": probe}
	count(deny) == 1 with input as pod({"containers": [container]})
}

test_sidecar_needs_a_probe if {
	sidecar := {"name": "proxy", "restartPolicy": "Always"}
	deny == {"Liveness Probe missing for container \"proxy\""} with input as pod({
		"containers": [good],
		"initContainers": [sidecar],
	})
}

# Kubernetes refuses probes there.
test_init_and_ephemeral_containers_need_none if {
	count(deny) == 0 with input as pod({
		"containers": [good],
		"initContainers": [{"name": "migrate"}],
		"ephemeralContainers": [{"name": "debug"}],
	})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}

test_odd_types_do_not_hide_a_container if {
	every containers in [["text"], [null], [7], [{"image": "x"}], [{"name": 7}]] {
		deny == {"Liveness Probe missing for container \"containers[0]\""} with input as pod({"containers": containers})
	}
}

test_operation_may_be_absent if {
	count(deny) == 1 with input as {"review": {"kind": {"kind": "Pod"}, "object": {"spec": {"containers": [bad]}}}}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod({"containers": [bad]}).review
	count(deny) == 1 with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
