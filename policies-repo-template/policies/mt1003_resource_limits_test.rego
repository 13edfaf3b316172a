package writ.policy_resource_limits_test

import data.writ.policy_resource_limits.deny

pod(spec) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}}}

workload(kind, spec) := {"review": {
	"kind": {"group": "apps", "kind": kind},
	"operation": "CREATE",
	"object": {"spec": {"template": {"spec": spec}}},
}}

container(limits) := {"name": "app", "resources": {"limits": limits}}

message(missing) := sprintf("Resource limits missing (%s) for container \"app\"", [missing])

test_cpu_and_memory_pass if {
	good := container({"cpu": "500m", "memory": "256Mi"})
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		count(deny) == 0 with input as workload(kind, {"containers": [good]})
	}
	count(deny) == 0 with input as pod({"containers": [good]})
}

test_quantities_of_every_form_pass if {
	every quantity in ["1", "1.5", ".5", "0.5", "+2", "100m", "1e3", "1E", "010", "1Gi", 1, 0.5] {
		count(deny) == 0 with input as pod({"containers": [container({"cpu": quantity, "memory": quantity})]})
	}
}

test_both_missing_fails_in_every_kind if {
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		deny == {message("CPU/MEM")} with input as workload(kind, {"containers": [container({})]})
	}
	deny == {message("CPU/MEM")} with input as pod({"containers": [container({})]})
}

test_one_missing_is_named if {
	deny == {message("CPU")} with input as pod({"containers": [container({"memory": "1Gi"})]})
	deny == {message("MEM")} with input as pod({"containers": [container({"cpu": "1"})]})
}

test_nothing_at_all_is_both_missing if {
	every resources in [null, {}, "x", [], {"limits": null}, {"limits": "x"}, {"limits": ["x"]}] {
		deny == {message("CPU/MEM")} with input as pod({"containers": [{"name": "app", "resources": resources}]})
	}
	deny == {message("CPU/MEM")} with input as pod({"containers": [{"name": "app"}]})
}

test_zero_and_empty_are_missing if {
	every quantity in ["0", "0m", "0.0", "0Mi", "0Gi", "", 0, null] {
		deny == {message("CPU")} with input as pod({"containers": [container({"cpu": quantity, "memory": "1Gi"})]})
	}
}

test_the_other_half_of_resources_does_not_count if {
	other := {"name": "app", "resources": {"claims": {"cpu": "1", "memory": "1Gi"}}}
	deny == {message("CPU/MEM")} with input as pod({"containers": [other]})
}

test_init_containers_and_sidecars_count if {
	every restart_policy in [null, "Always"] {
		init := {"name": "app", "restartPolicy": restart_policy}
		deny == {message("CPU/MEM")} with input as pod({"containers": [], "initContainers": [init]})
	}
}

# Kubernetes refuses resources there.
test_ephemeral_containers_need_none if {
	count(deny) == 0 with input as pod({"ephemeralContainers": [{"name": "debug"}]})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}] {
		count(deny) == 0 with input as pod(spec)
	}
}

test_odd_types_do_not_hide_a_container if {
	every containers in [[null], ["text"], [{"image": "x"}], {"app": {"image": "x"}}] {
		count(deny) == 1 with input as pod({"containers": containers})
	}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod({"containers": [container({})]}).review
	count(deny) == 1 with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
