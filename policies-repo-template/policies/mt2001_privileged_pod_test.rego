package writ.policy_privileged_pod_test

import data.writ.policy_privileged_pod.deny

pod(spec) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}}}

workload(kind, spec) := {"review": {
	"kind": {"group": "apps", "kind": kind},
	"operation": "CREATE",
	"object": {"spec": {"template": {"spec": spec}}},
}}

container(privileged) := {"name": "app", "securityContext": {"privileged": privileged}}

found := {"Found privileged Security Context for container \"app\""}

test_unprivileged_containers_pass if {
	every security_context in [{}, null, {"privileged": false}, {"privileged": null}, {"runAsUser": 1000}, "text"] {
		count(deny) == 0 with input as pod({"containers": [{"name": "app", "securityContext": security_context}]})
	}
	count(deny) == 0 with input as pod({"containers": [{"name": "app"}]})
}

test_privileged_container_fails_in_every_kind if {
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		deny == found with input as workload(kind, {"containers": [container(true)]})
	}
	deny == found with input as pod({"containers": [container(true)]})
}

test_init_and_ephemeral_containers_count if {
	every field in ["initContainers", "ephemeralContainers"] {
		deny == found with input as pod({field: [container(true)]})
		deny == found with input as workload("DaemonSet", {field: [container(true)]})
	}
}

test_each_container_is_named if {
	deny == {
		"Found privileged Security Context for container \"app\"",
		"Found privileged Security Context for container \"containers[2]\"",
	} with input as pod({"containers": [container(true), {"name": "log"}, {"securityContext": {"privileged": true}}]})
}

test_odd_types_do_not_hide_it if {
	every value in ["true", "false", 1, [], {}] {
		deny == found with input as pod({"containers": [container(value)]})
	}
	deny == found with input as pod({"containers": {"app": container(true)}})
}

# Privileged is a field of containers; a pod's own security context has none.
test_security_context_of_the_pod_does_not_matter if {
	count(deny) == 0 with input as pod({"securityContext": {"privileged": true}, "containers": [{"name": "app"}]})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": ["text"]}] {
		count(deny) == 0 with input as pod(spec)
	}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod({"containers": [container(true)]}).review
	deny == found with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
