# METADATA
# title: Containers are not privileged
# description: >-
#   A privileged container has all rights of the node's root user: whoever takes the container has taken the node.
# custom:
#   code: WR2001
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted, cis-5.2.2]
package writ.privileged

import data.writ.lib.pods

# Anything but a plain "no" counts, also a value of an odd type.
deny contains msg if {
	some container in pods.containers
	privileged := container.item.securityContext.privileged
	not privileged in {false, null}
	msg := sprintf("Container \"%s\" is privileged", [container.name])
}
