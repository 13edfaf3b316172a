# METADATA
# title: Containers cannot gain privileges
# description: >-
#   Without it a set-user-ID program in the image is of no use to an attacker.
# custom:
#   code: WR2011
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-restricted, cis-5.2.6]
package writ.privilege_escalation

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	not is_refused(container.item)
	msg := sprintf("Container \"%s\" may gain privileges: allowPrivilegeEscalation is not false", [container.name])
}

is_refused(container) if container.securityContext.allowPrivilegeEscalation == false
