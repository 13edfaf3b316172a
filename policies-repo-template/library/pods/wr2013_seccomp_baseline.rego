# METADATA
# title: Seccomp is not turned off
# description: >-
#   Seccomp keeps a container from the system calls that ordinary programs never make and most kernel flaws need.
# custom:
#   code: WR2013
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline]
package writ.seccomp_baseline

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	type := security.profile_type(pods.spec, "seccompProfile")
	not type in allowed
	msg := sprintf("Pod has the seccomp profile %v", [type])
}

deny contains msg if {
	some container in pods.containers
	type := security.profile_type(container.item, "seccompProfile")
	not type in allowed
	msg := sprintf("Container \"%s\" has the seccomp profile %v", [container.name, type])
}

allowed := {"RuntimeDefault", "Localhost"}
