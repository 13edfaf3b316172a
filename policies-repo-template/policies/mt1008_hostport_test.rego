package writ.policy_hostport_test

import data.writ.policy_hostport.deny

pod(spec) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}}}

container(ports) := {"name": "app", "ports": ports}

found := {"hostPort is configured for container \"app\""}

test_container_ports_alone_pass if {
	count(deny) == 0 with input as pod({"containers": [container([{"containerPort": 8080}])]})
}

test_host_port_fails if {
	deny == found with input as pod({"containers": [container([{"containerPort": 8080, "hostPort": 8080}])]})
}

test_container_is_named_once if {
	ports := [{"hostPort": 8080}, {"hostPort": 8443}, {"containerPort": 1}]
	deny == found with input as pod({"containers": [container(ports)]})
}

test_each_container_is_named if {
	deny == {
		"hostPort is configured for container \"app\"",
		"hostPort is configured for container \"log\"",
	} with input as pod({"containers": [
		container([{"hostPort": 1}]),
		{"name": "log", "ports": [{"hostPort": 2}]},
		{"name": "web"},
	]})
}

test_init_and_ephemeral_containers_count if {
	every field in ["initContainers", "ephemeralContainers"] {
		deny == found with input as pod({field: [container([{"hostPort": 8080}])]})
	}
}

test_values_that_mean_none_pass if {
	every value in [0, null, ""] {
		count(deny) == 0 with input as pod({"containers": [container([{"containerPort": 8080, "hostPort": value}])]})
	}
}

test_odd_types_do_not_hide_it if {
	every value in ["8080", true, [8080], {"port": 8080}] {
		deny == found with input as pod({"containers": [container([{"hostPort": value}])]})
	}
	deny == found with input as pod({"containers": [container({"hostPort": 8080})]})
	deny == found with input as pod({"containers": {"app": container([{"hostPort": 8080}])}})
}

test_container_without_name_is_named_by_its_place if {
	deny == {"hostPort is configured for container \"containers[0]\""} with input as pod({"containers": [{"ports": [{"hostPort": 1}]}]})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": [container([])]}, {"containers": [container(null)]}] {
		count(deny) == 0 with input as pod(spec)
	}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod({"containers": [container([{"hostPort": 8080}])]}).review
	deny == found with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
