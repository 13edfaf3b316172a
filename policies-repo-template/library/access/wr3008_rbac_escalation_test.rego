package writ.rbac_escalation_test

import data.writ.rbac_escalation.deny

reviewed(kind, object) := {
	"review": {"kind": {"group": "rbac.authorization.k8s.io", "kind": kind}, "operation": "CREATE", "object": object},
	"parameters": {"roles": ["cluster-admin", "system:*"]},
}

on(operation, object) := {
	"review": {"kind": {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}, "operation": operation, "object": object},
	"parameters": {"roles": ["cluster-admin", "system:*"]},
}

role(groups, resources, verbs) := {"metadata": {"name": "shop"}, "rules": [{"apiGroups": groups, "resources": resources, "verbs": verbs}]}

bad := role(["rbac.authorization.k8s.io"], ["roles"], ["bind"])

test_each_danger_is_named if {
	every case in [
		["rbac.authorization.k8s.io", "roles", "bind"],
		["rbac.authorization.k8s.io", "roles", "escalate"],
		["rbac.authorization.k8s.io", "clusterroles", "bind"],
		["rbac.authorization.k8s.io", "clusterroles", "escalate"],
		["", "users", "impersonate"],
		["", "groups", "impersonate"],
		["", "serviceaccounts", "impersonate"],
		["authentication.k8s.io", "uids", "impersonate"],
	] {
		deny == {sprintf("rules[0] of role \"shop\" grants %s on %s", [case[2], case[1]])} with input as reviewed("Role", role([case[0]], [case[1]], [case[2]]))
		deny == {sprintf("rules[0] of role \"shop\" grants %s on %s", [case[2], case[1]])} with input as reviewed("ClusterRole", role([case[0]], [case[1]], [case[2]]))
	}
}

test_wildcards_grant_it_too if {
	every rule in [
		role(["*"], ["roles"], ["bind"]),
		role(["rbac.authorization.k8s.io"], ["*"], ["bind"]),
		role(["rbac.authorization.k8s.io"], ["roles"], ["*"]),
		role("rbac.authorization.k8s.io", "roles", "*"),
	] {
		count(deny) > 0 with input as reviewed("ClusterRole", rule)
	}
}

test_other_grants_pass if {
	every rule in [
		role(["example.com"], ["roles"], ["bind"]),
		role(["rbac.authorization.k8s.io"], ["roles/other"], ["bind"]),
		role(["rbac.authorization.k8s.io"], ["roles"], ["approve"]),
	] {
		count(deny) == 0 with input as reviewed("ClusterRole", rule)
	}
}

test_roles_can_be_left_alone if {
	every name in ["cluster-admin", "system:node"] {
		count(deny) == 0 with input as reviewed("ClusterRole", object.union(bad, {"metadata": {"name": name}}))
	}
	count(deny) == 1 with input as reviewed("ClusterRole", object.union(bad, {"metadata": {"name": "operator"}}))
}

test_nothing_to_judge_passes if {
	every object in [{}, null, {"rules": null}, {"rules": [null, "text", {}]}, role(null, null, null)] {
		count(deny) == 0 with input as reviewed("Role", object)
	}
}

test_update_is_judged_and_deletion_is_not if {
	count(deny) == 1 with input as on("UPDATE", bad)
	count(deny) == 0 with input as on("DELETE", bad)
}

test_operation_may_be_absent if {
	found := on("CREATE", bad)
	count(deny) == 1 with input as object.union(object.remove(found, ["review"]), {"review": object.remove(found.review, ["operation"])})
}
