package writ.sysctls_test

import data.writ.sysctls.deny

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

defaults := {"allowed": ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

setting(name) := {"securityContext": {"sysctls": [{"name": name, "value": "1"}]}}

test_sysctls_of_the_standard_pass if {
	every name in defaults.allowed {
		count(deny) == 0 with input as pod(setting(name))
	}
	count(defaults.allowed) == 12
}

test_other_sysctls_fail if {
	every name in ["kernel.msgmax", "kernel.core_pattern", "net.core.somaxconn", "net/ipv4/tcp_rmem", "net.ipv4.tcp_rmem.x", ""] {
		deny == {sprintf("Pod sets sysctl %s", [name])} with input as pod(setting(name))
	}
	count(deny) == 1 with input as pod(setting(null))
	count(deny) == 1 with input as pod({"securityContext": {"sysctls": ["kernel.msgmax"]}})
}

test_each_sysctl_is_named if {
	sysctls := [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_syncookies"}, {"name": "kernel.sem"}]
	deny == {"Pod sets sysctl kernel.msgmax", "Pod sets sysctl kernel.sem"} with input as pod({"securityContext": {"sysctls": sysctls}})
}

test_absent_sysctls_pass if {
	every context in [{}, null, {"sysctls": null}, {"sysctls": []}] {
		count(deny) == 0 with input as pod({"securityContext": context})
	}
}

test_list_is_a_parameter if {
	count(deny) == 0 with input as given(setting("net.core.somaxconn"), {"allowed": ["net.core.somaxconn"]})
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated(setting("kernel.msgmax"), {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated(setting("kernel.msgmax"), setting("kernel.msgmax"))
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted(setting("kernel.msgmax"))
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
