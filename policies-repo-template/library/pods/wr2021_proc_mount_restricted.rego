# METADATA
# title: Containers see the usual part of /proc, in user namespaces too
# description: >-
#   The runtime hides parts of /proc that ordinary programs never need; a hardened pod has no reason to see them.
# custom:
#   code: WR2021
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-restricted]
package writ.proc_mount_restricted

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	some container in pods.containers
	type := security.said(container.item, "procMount")
	type != "Default"
	msg := sprintf("Container \"%s\" has procMount %v", [container.name, type])
}
