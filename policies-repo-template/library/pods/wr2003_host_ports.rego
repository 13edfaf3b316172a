# METADATA
# title: Containers take no port of the node
# description: >-
#   A port of the node is a scarce resource of the whole cluster, and reachable past Services and network policies.
# custom:
#   code: WR2003
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted, cis-5.2.13]
#   parameters: {ports: []}
package writ.host_ports

import data.writ.lib.pods

deny contains msg if {
	some container in pods.containers
	some index
	port := container.item.ports[index].hostPort
	not port in {0, null}
	not port in input.parameters.ports
	msg := sprintf("Container \"%s\" takes port %v of the node", [container.name, port])
}
