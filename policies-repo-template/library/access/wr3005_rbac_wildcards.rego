# METADATA
# title: Roles name what they grant
# description: >-
#   A wildcard grants what exists, and everything that will exist.
# custom:
#   code: WR3005
#   severity: MED
#   kinds: [rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/ClusterRole]
#   enabled: false
#   sets: [cis-5.1.3]
#   parameters: {roles: [cluster-admin, "system:*"]}
package writ.rbac_wildcards

import data.lib.fields
import data.writ.lib.globs
import data.writ.lib.reviews

deny contains msg if {
	object := reviews.judged
	not globs.matches_any(fields.object_name(object), input.parameters.roles)
	some index
	rule := object.rules[index]
	some field in ["verbs", "resources", "apiGroups", "nonResourceURLs"]
	some item in fields.list_in(rule, field)
	is_wildcard(field, item)
	msg := sprintf("rules[%v] of role \"%s\" grants all %s with \"%v\"", [index, fields.object_name(object), field, item])
}

is_wildcard(_, "*") := true

# Every sub-resource of a kind.
is_wildcard("resources", item) if endswith(item, "/*")

is_wildcard("resources", item) if startswith(item, "*/")
