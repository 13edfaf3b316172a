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

import data.lib.fields
import data.lib.pod

deny contains msg if {
	some index
	some list in ["containers", "initContainers", "ephemeralContainers"]
	container := pod.spec[list][index]
	some port in fields.list_in(container, "ports")
	is_set(port.hostPort)
	msg := sprintf("hostPort is configured for container \"%s\"", [fields.item_name(container, list, index)])
}

# The API server writes 0 for "none".
is_set(host_port) if not host_port in {0, "0", "", null}
