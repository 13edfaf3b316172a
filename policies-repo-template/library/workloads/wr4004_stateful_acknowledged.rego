# METADATA
# title: StatefulSets are acknowledged
# description: >-
#   State in a cluster needs a backup, an upgrade path and somebody who has tried both.
# custom:
#   code: WR4004
#   severity: LOW
#   kinds: [apps/StatefulSet]
#   enabled: false
#   parameters: {annotation: writ.dev/keeps-state}
package writ.stateful_acknowledged

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	not is_acknowledged
	msg := sprintf("StatefulSet \"%s\" keeps state without the annotation %s", [fields.object_name(input.review.object), input.parameters.annotation])
}

is_acknowledged if {
	value := input.review.object.metadata.annotations[input.parameters.annotation]
	is_string(value)
	not lower(trim_space(value)) in {"", "false", "no"}
}
