# METADATA
# title: The pod of a review, wherever it is
# description: >-
#   Every rule of a package is evaluated when one of them is asked for, so this one holds a single rule; functions cost
#   nothing until they are called and live in lib.fields.
package lib.pod

# The spec of the Pod itself, or of the template that a workload makes its pods from. Null for deletions, which take an
# object away: nothing that is wrong with it is a reason to keep it.
spec := null if input.review.operation == "DELETE"

else := own if {
	input.review.kind.kind == "Pod"
	own := input.review.object.spec
}

else := made if made := input.review.object.spec.template.spec
