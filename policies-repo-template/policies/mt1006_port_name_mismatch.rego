# METADATA
# title: Port names agree with port numbers
# description: >-
#   Service meshes choose the protocol by the port's name. A port that is named http but numbered 443 is TLS
#   that the mesh reads as plain HTTP.
# custom:
#   code: MT1006
#   severity: HIGH
#   kinds: [Service]
package writ.policy_port_name_mismatch

import data.lib.fields

deny contains msg if {
	not is_deletion
	some port in fields.list_in(input.review.object.spec, "ports")
	port.name == "http"
	port.port in {443, "443"}
	msg := sprintf("Logical port name \"%s\" mismatch with port number \"%v\" for service \"%s\"", [
		port.name,
		port.port,
		fields.object_name(input.review.object),
	])
}

is_deletion if input.review.operation == "DELETE"
