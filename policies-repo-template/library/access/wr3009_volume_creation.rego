# METADATA
# title: Roles do not create persistent volumes
# description: >-
#   Whoever creates a PersistentVolume can make one of a path of the node.
# custom:
#   code: WR3009
#   severity: LOW
#   kinds: [rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/ClusterRole]
#   enabled: false
#   sets: [cis-5.1.9]
#   parameters: {roles: [cluster-admin, "system:*"]}
package writ.volume_creation

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
	{"group": "", "resource": "persistentvolumes", "verbs": {"create"}},
]
