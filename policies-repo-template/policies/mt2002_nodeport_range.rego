# METADATA
# title: Node ports stay within the namespace's ranges
# description: >-
#   Node ports are a scarce resource of the whole cluster. The annotation k8s.t-mobile.com/nodeportRange of a
#   namespace says which ones its services may take; a namespace without it, or with the value na, may take any.
# custom:
#   code: MT2002
#   severity: MED
#   kinds: [Service]
package writ.policy_nodeport_range

import data.lib.fields

annotation_name := "k8s.t-mobile.com/nodeportRange"

deny contains msg if {
	is_node_port_service
	not is_namespace_known
	msg := sprintf("Namespace \"%s\" is not known yet, so its nodePort annotation cannot be checked", [namespace])
}

deny contains msg if {
	is_node_port_service
	is_annotated
	not is_free
	not is_well_formed
	msg := sprintf("Invalid data in nodePort annotation in \"%s\" namespace", [namespace])
}

deny contains msg if {
	is_node_port_service
	is_annotated
	not is_free
	is_well_formed
	some port in fields.list_in(input.review.object.spec, "ports")
	node_port := port.nodePort
	not node_port in {0, null}
	not is_in_range(node_port)
	msg := sprintf("nodePort %v is out of defined range for Service \"%s\"", [node_port, fields.object_name(input.review.object)])
}

is_node_port_service if {
	not is_deletion
	input.review.object.spec.type == "NodePort"
}

is_deletion if input.review.operation == "DELETE"

namespace := object.get(input.review, "namespace", "")

is_namespace_known if is_object(input.namespaceObject.metadata)

is_annotated if {
	value := annotation
	not is_null(value)
}

annotation := input.namespaceObject.metadata.annotations[annotation_name]

# The namespace may use any node port.
is_free if lower(trim_space(annotation)) == "na"

# "30000", "30000-30100" and lists of these with commas, with blanks anywhere between.
ranges := found if {
	found := [range |
		some part in split(annotation, ",")
		range := trim_space(part)
		range != ""
	]
}

bounds := found if {
	found := [[lowest, highest] |
		some range in ranges
		regex.match(`^[0-9]+(\s*-\s*[0-9]+)?$`, range)
		ends := split(range, "-")
		lowest := to_number(trim_space(ends[0]))
		highest := to_number(trim_space(ends[count(ends) - 1]))
	]
}

is_well_formed if {
	count(ranges) > 0
	count(bounds) == count(ranges)
}

is_in_range(node_port) if {
	is_number(node_port)
	some bound in bounds
	node_port >= bound[0]
	node_port <= bound[1]
}
