package writ.rbac_wildcards_test

import data.writ.rbac_wildcards.deny

reviewed(kind, object) := {
	"review": {"kind": {"group": "rbac.authorization.k8s.io", "kind": kind}, "operation": "CREATE", "object": object},
	"parameters": {"roles": ["cluster-admin", "system:*"]},
}

on(operation, object) := {
	"review": {"kind": {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}, "operation": operation, "object": object},
	"parameters": {"roles": ["cluster-admin", "system:*"]},
}

role(rules) := {"metadata": {"name": "shop"}, "rules": rules}

good := {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}

bad := role([good, {"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}])

test_rule_that_names_everything_passes if {
	every kind in ["Role", "ClusterRole"] {
		count(deny) == 0 with input as reviewed(kind, role([good, {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}]))
	}
}

test_rule_is_named_by_its_place if {
	deny == {"rules[1] of role \"shop\" grants all verbs with \"*\""} with input as reviewed("Role", bad)
}

test_each_wildcard_fails if {
	every field in ["verbs", "resources", "apiGroups", "nonResourceURLs"] {
		count(deny) == 1 with input as reviewed("ClusterRole", role([object.union(good, {field: ["get", "*"]})]))
		count(deny) == 1 with input as reviewed("ClusterRole", role([object.union(good, {field: "*"})]))
	}
	every resource in ["pods/*", "*/scale"] {
		count(deny) == 1 with input as reviewed("Role", role([object.union(good, {"resources": [resource]})]))
	}
	count(deny) == 4 with input as reviewed("Role", role([{"verbs": ["*"], "resources": ["*", "*/*"], "apiGroups": ["*"]}]))
}

test_roles_of_kubernetes_pass if {
	every name in ["cluster-admin", "system:controller:x"] {
		count(deny) == 0 with input as reviewed("ClusterRole", object.union(bad, {"metadata": {"name": name}}))
	}
	every name in ["cluster-admin-2", "my-system:x", ""] {
		count(deny) == 1 with input as reviewed("ClusterRole", object.union(bad, {"metadata": {"name": name}}))
	}
}

test_nothing_to_judge_passes if {
	every object in [{}, null, role(null), role([]), role([null, "text", {}]), role([{"verbs": null}])] {
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
