package writ.selinux_test

import data.writ.selinux.deny

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

defaults := {"types": ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"]}

good := {"name": "app", "securityContext": {"seLinuxOptions": {"type": "container_t", "level": "s0:c1,c2", "user": "", "role": null}}}

bad := {"name": "app", "securityContext": {"seLinuxOptions": {"type": "spc_t"}}}

test_types_of_the_standard_pass if {
	every type in ["container_t", "container_init_t", "container_kvm_t", "container_engine_t", "", null] {
		options := {"seLinuxOptions": {"type": type}}
		count(deny) == 0 with input as pod({"securityContext": options, "containers": [{"name": "app", "securityContext": options}]})
	}
}

test_other_types_users_and_roles_fail_in_pod_and_container if {
	every options in [{"type": "spc_t"}, {"type": "unconfined_t"}, {"user": "root"}, {"role": "sysadm_r"}, {"user": "container_t"}, {"type": 7}] {
		context := {"seLinuxOptions": options}
		count(deny) == 1 with input as pod({"securityContext": context, "containers": [good]})
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "securityContext": context}]})
	}
}

test_each_field_is_named if {
	options := {"type": "spc_t", "user": "root", "role": "sysadm_r"}
	deny == {
		"Pod sets the SELinux type spc_t",
		"Pod sets the SELinux user root",
		"Pod sets the SELinux role sysadm_r",
	} with input as pod({"securityContext": {"seLinuxOptions": options}})
}

test_absent_options_pass if {
	every context in [{}, null, {"seLinuxOptions": null}, {"seLinuxOptions": {}}, "text"] {
		count(deny) == 0 with input as pod({"securityContext": context, "containers": [{"name": "app", "securityContext": context}]})
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
