# METADATA
# title: Nobody is bound to cluster-admin
# description: >-
#   Whoever has cluster-admin can read every Secret and remove every policy, this one too.
# custom:
#   code: WR3004
#   severity: HIGH
#   kinds: [rbac.authorization.k8s.io/RoleBinding, rbac.authorization.k8s.io/ClusterRoleBinding]
#   enabled: false
#   sets: [cis-5.1.1]
#   parameters: {roles: [cluster-admin], bindings: [cluster-admin, "system:*"]}
package writ.cluster_admin

import data.lib.fields
import data.writ.lib.globs
import data.writ.lib.reviews

deny contains msg if {
	object := reviews.judged
	object.roleRef.kind == "ClusterRole"
	object.roleRef.name in input.parameters.roles
	not globs.matches_any(fields.object_name(object), input.parameters.bindings)
	msg := sprintf("Binding \"%s\" gives the role %s", [fields.object_name(object), object.roleRef.name])
}
