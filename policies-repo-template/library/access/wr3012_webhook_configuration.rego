# METADATA
# title: Roles do not change webhook configurations
# description: >-
#   Whoever changes them reads every object, changes it on its way in, or turns policies off.
# custom:
#   code: WR3012
#   severity: HIGH
#   kinds: [rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/ClusterRole]
#   enabled: false
#   sets: [cis-5.1.12]
#   parameters: {roles: [cluster-admin, "system:*"]}
package writ.webhook_configuration

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
	{"group": "admissionregistration.k8s.io", "resource": "validatingwebhookconfigurations", "verbs": {"create", "update", "patch", "delete", "deletecollection"}},
	{"group": "admissionregistration.k8s.io", "resource": "mutatingwebhookconfigurations", "verbs": {"create", "update", "patch", "delete", "deletecollection"}},
]
