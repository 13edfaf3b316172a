# METADATA
# title: Roles do not reach through nodes
# description: >-
#   Through the proxy of a node its kubelet runs commands in every pod, past admission and the audit log.
# custom:
#   code: WR3010
#   severity: HIGH
#   kinds: [rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/ClusterRole]
#   enabled: false
#   sets: [cis-5.1.10]
#   parameters: {roles: [cluster-admin, "system:*"]}
package writ.node_proxy

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
	{"group": "", "resource": "nodes/proxy", "verbs": {"get", "create", "update", "patch", "delete"}},
]
