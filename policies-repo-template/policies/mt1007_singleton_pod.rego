# METADATA
# title: Pods belong to a controller
# description: >-
#   A pod that no controller owns is not replaced when its node goes away.
# custom:
#   code: MT1007
#   severity: LOW
#   kinds: [Pod]
package writ.policy_singleton_pod_check

import data.lib.fields

deny contains msg if {
	not is_deletion
	not has_owner
	msg := sprintf("\"%s\" is a singleton pod.", [fields.object_name(input.review.object)])
}

has_owner if {
	owners := input.review.object.metadata.ownerReferences
	is_array(owners)
	count(owners) > 0
}

is_deletion if input.review.operation == "DELETE"
