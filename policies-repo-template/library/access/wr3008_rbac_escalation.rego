# METADATA
# title: Roles cannot grow by themselves
# description: >-
#   With bind, escalate or impersonate a subject gives itself what it has not.
# custom:
#   code: WR3008
#   severity: HIGH
#   kinds: [rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/ClusterRole]
#   enabled: false
#   sets: [cis-5.1.8]
#   parameters: {roles: [cluster-admin, "system:*"]}
package writ.rbac_escalation

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
	{"group": "rbac.authorization.k8s.io", "resource": "roles", "verbs": {"bind", "escalate"}},
	{"group": "rbac.authorization.k8s.io", "resource": "clusterroles", "verbs": {"bind", "escalate"}},
	{"group": "", "resource": "users", "verbs": {"impersonate"}},
	{"group": "", "resource": "groups", "verbs": {"impersonate"}},
	{"group": "", "resource": "serviceaccounts", "verbs": {"impersonate"}},
	{"group": "authentication.k8s.io", "resource": "uids", "verbs": {"impersonate"}},
]
