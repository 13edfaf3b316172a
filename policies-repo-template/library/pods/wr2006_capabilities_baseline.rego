# METADATA
# title: Containers add no capability beyond the runtime's usual ones
# description: >-
#   Capabilities such as SYS_ADMIN or NET_ADMIN are steps to the node.
# custom:
#   code: WR2006
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline]
#   parameters:
#     allowed:
#       - AUDIT_WRITE
#       - CHOWN
#       - DAC_OVERRIDE
#       - FOWNER
#       - FSETID
#       - KILL
#       - MKNOD
#       - NET_BIND_SERVICE
#       - SETFCAP
#       - SETGID
#       - SETPCAP
#       - SETUID
#       - SYS_CHROOT
package writ.capabilities_baseline

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	some container in pods.containers
	some capability in security.capabilities(container.item, "add")
	not capability in input.parameters.allowed
	msg := sprintf("Container \"%s\" adds capability %v", [container.name, capability])
}
