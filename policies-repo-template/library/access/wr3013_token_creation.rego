# METADATA
# title: Roles do not create service account tokens
# description: >-
#   Whoever creates tokens acts as the accounts that they are for.
# custom:
#   code: WR3013
#   severity: HIGH
#   kinds: [rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/ClusterRole]
#   enabled: false
#   sets: [cis-5.1.13]
#   parameters: {roles: [cluster-admin, "system:*"]}
package writ.token_creation

import data.lib.fields
import data.writ.lib.access
import data.writ.lib.globs
import data.writ.lib.reviews

deny contains msg if {
	object := reviews.judged
	not globs.matches_any(fields.object_name(object), input.parameters.roles)
	some index
	some [resource, verb] in access.granted(object.rules[index], dangers)
	msg := sprintf("rules[%v] of role \"%s\" grants %s on %s", [index, fields.object_name(object), verb, resource])
}

# Group, resource and verbs of what is not to be granted.
dangers := [
	{"group": "", "resource": "serviceaccounts/token", "verbs": {"create"}},
]
