# METADATA
# title: Containers drop all capabilities
# description: >-
#   Most programs need no capability at all, so all are dropped and at most NET_BIND_SERVICE comes back.
# custom:
#   code: WR2007
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-restricted, cis-5.2.10]
#   parameters: {allowed: [NET_BIND_SERVICE]}
package writ.capabilities_restricted

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	not "ALL" in security.capabilities(container.item, "drop")
	msg := sprintf("Container \"%s\" does not drop ALL capabilities", [container.name])
}

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	some capability in security.capabilities(container.item, "add")
	not capability in input.parameters.allowed
	msg := sprintf("Container \"%s\" adds capability %v", [container.name, capability])
}
