# METADATA
# title: The pod of a review and its containers
# description: >-
#   Writ hands the pod that a workload implies to policies on Pod, so nothing here looks for templates. Every rule of
#   a package is evaluated when one of them is asked for: these two are what nearly every policy needs, and functions
#   live in writ.lib.security.
package writ.lib.pods

import data.lib.fields

# The spec of the pod. Null for deletions, which take an object away, and for updates that leave the pod as it is:
# nothing that is wrong with an object is a reason to keep its finalizers or to refuse its labels.
spec := null if input.review.operation == "DELETE"

else := null if {
	input.review.operation == "UPDATE"
	input.review.kind.kind == "Pod"
	input.review.object.spec == input.review.oldObject.spec
	notes(input.review.object) == notes(input.review.oldObject)
}

else := input.review.object.spec

# The containers of all three lists, each with the name that people know it by. Lists of an odd type hide nothing.
containers := [{"name": fields.item_name(item, list, index), "list": list, "item": item} |
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some index
	item := spec[list][index]
]

# Annotations say something of containers too.
notes(object) := found if {
	found := object.metadata.annotations
	is_object(found)
}

else := {}
