# METADATA
# title: Objects carry the annotations that the platform asks for
# description: >-
#   What does not fit a label, such as an address or a page, is an annotation.
# custom:
#   code: WR6002
#   severity: LOW
#   kinds: [Namespace, Service, apps/Deployment, apps/StatefulSet, apps/DaemonSet, batch/CronJob]
#   enabled: false
#   parameters: {annotations: {contact: "^[^@ ]+@[^@ ]+$"}}
package writ.required_annotations

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	some name, pattern in input.parameters.annotations
	reason := objection(name, pattern)
	msg := sprintf("Annotation %s %s on %s \"%s\"", [name, reason, input.review.kind.kind, fields.object_name(input.review.object)])
}

# What is wrong with it; undefined when nothing is.
objection(name, pattern) := "is missing" if not is_said(name)

else := sprintf("is \"%s\", which does not match %s", [value(name), pattern]) if not regex.match(pattern, value(name))

is_said(name) if {
	found := value(name)
	is_string(found)
	found != ""
}

value(name) := input.review.object.metadata.annotations[name]
