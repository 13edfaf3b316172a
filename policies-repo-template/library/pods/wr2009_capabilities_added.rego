# METADATA
# title: Containers add no capability
# description: >-
#   Capabilities beyond what the runtime gives are to be asked for, not taken.
# custom:
#   code: WR2009
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [cis-5.2.9]
#   parameters: {allowed: []}
package writ.capabilities_added

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	some container in pods.containers
	some capability in security.capabilities(container.item, "add")
	not capability in input.parameters.allowed
	msg := sprintf("Container \"%s\" adds capability %v", [container.name, capability])
}
