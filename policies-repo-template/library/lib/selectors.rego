# METADATA
# title: Label selectors
# description: As Kubernetes reads them. Functions only, which cost nothing until they are called.
package writ.lib.selectors

import data.lib.fields

# Whether the selector selects something with these labels. An empty selector selects everything, none selects nothing.
selects(selector, labels) if {
	is_object(selector)
	wanted := object_in(selector, "matchLabels")
	count([key | some key, value in wanted; not labels[key] == value]) == 0
	expressions := [expression | some expression in fields.list_in(selector, "matchExpressions")]
	count([1 | some expression in expressions; not holds(expression, labels)]) == 0
}

object_in(parent, field) := parent[field] if is_object(parent[field])

else := {}

holds(expression, labels) if {
	expression.operator == "In"
	labels[expression.key] in expression.values
}

holds(expression, labels) if {
	expression.operator == "NotIn"
	not object.get(labels, expression.key, null) in expression.values
}

holds(expression, labels) if {
	expression.operator == "Exists"
	expression.key in object.keys(labels)
}

holds(expression, labels) if {
	expression.operator == "DoesNotExist"
	not expression.key in object.keys(labels)
}
