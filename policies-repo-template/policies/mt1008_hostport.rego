# METADATA
# title: Containers use no port of the node
# description: >-
#   A host port lets one pod per node run, exposes the container beside every network policy, and can collide
#   with the node's own services.
# custom:
#   code: MT1008
#   severity: HIGH
#   kinds: [Pod]
package writ.policy_hostport

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some container in containers.all
	some port in fields.list_in(container, "ports")
	is_set(port.hostPort)
	msg := sprintf("hostPort is configured for container \"%s\"", [container.name])
}

# The API server writes 0 for "none".
is_set(host_port) if not host_port in {0, "0", "", null}
