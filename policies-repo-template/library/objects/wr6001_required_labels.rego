# METADATA
# title: Objects carry the labels that the platform asks for
# description: >-
#   An alert, a bill and an audit need to know whose an object is.
# custom:
#   code: WR6001
#   severity: LOW
#   kinds: [Namespace, Service, apps/Deployment, apps/StatefulSet, apps/DaemonSet, batch/CronJob]
#   enabled: false
#   parameters: {labels: {owner: ""}}
package writ.required_labels

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	some name, pattern in input.parameters.labels
	reason := objection(name, pattern)
	msg := sprintf("Label %s %s on %s \"%s\"", [name, reason, input.review.kind.kind, fields.object_name(input.review.object)])
}

# What is wrong with it; undefined when nothing is.
objection(name, pattern) := "is missing" if not is_said(name)

else := sprintf("is \"%s\", which does not match %s", [value(name), pattern]) if not regex.match(pattern, value(name))

is_said(name) if {
	found := value(name)
	is_string(found)
	found != ""
}

value(name) := input.review.object.metadata.labels[name]
