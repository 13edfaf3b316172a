package writ.cluster_admin_test

import data.writ.cluster_admin.deny

reviewed(kind, object) := {
	"review": {"kind": {"group": "rbac.authorization.k8s.io", "kind": kind}, "operation": "CREATE", "object": object},
	"parameters": {"roles": ["cluster-admin"], "bindings": ["cluster-admin", "system:*"]},
}

on(operation, object) := {
	"review": {"kind": {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}, "operation": operation, "object": object},
	"parameters": {"roles": ["cluster-admin"], "bindings": ["cluster-admin", "system:*"]},
}

binding(name, kind, role) := {"metadata": {"name": name}, "roleRef": {"kind": kind, "name": role}, "subjects": [{"kind": "User", "name": "ada"}]}

bad := binding("ops", "ClusterRole", "cluster-admin")

test_binding_to_cluster_admin_fails_in_both_kinds if {
	every kind in ["RoleBinding", "ClusterRoleBinding"] {
		deny == {"Binding \"ops\" gives the role cluster-admin"} with input as reviewed(kind, bad)
	}
}

test_other_roles_pass if {
	count(deny) == 0 with input as reviewed("ClusterRoleBinding", binding("ops", "ClusterRole", "view"))
	count(deny) == 0 with input as reviewed("RoleBinding", binding("ops", "Role", "cluster-admin"))
}

test_bindings_of_kubernetes_pass if {
	every name in ["cluster-admin", "system:basic-user"] {
		count(deny) == 0 with input as reviewed("ClusterRoleBinding", binding(name, "ClusterRole", "cluster-admin"))
	}
	every name in ["my-cluster-admin", "cluster-admin-2", "", null] {
		count(deny) == 1 with input as reviewed("ClusterRoleBinding", binding(name, "ClusterRole", "cluster-admin"))
	}
}

test_roles_are_a_parameter if {
	parameters := {"roles": ["cluster-admin", "admin"], "bindings": []}
	review := reviewed("RoleBinding", binding("ops", "ClusterRole", "admin")).review
	count(deny) == 1 with input as {"review": review, "parameters": parameters}
}

test_nothing_to_judge_passes if {
	every object in [{}, null, {"roleRef": null}, {"roleRef": "cluster-admin"}] {
		count(deny) == 0 with input as reviewed("RoleBinding", object)
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
