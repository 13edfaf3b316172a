# METADATA
# title: Containers cannot write to their image
# description: >-
#   What an attacker cannot write, he cannot run.
# custom:
#   code: WR2012
#   severity: LOW
#   kinds: [Pod]
#   enabled: false
package writ.read_only_root

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	not is_read_only(container.item)
	msg := sprintf("Container \"%s\" can write to its root file system", [container.name])
}

is_read_only(container) if container.securityContext.readOnlyRootFilesystem == true
