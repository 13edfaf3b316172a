# METADATA
# title: Containers have a seccomp profile
# description: >-
#   Without a profile the kubelet starts containers unconfined unless the node is configured otherwise.
# custom:
#   code: WR2014
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-restricted, cis-5.7.2]
#   parameters: {types: [RuntimeDefault, Localhost]}
package writ.seccomp_restricted

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not security.is_windows(pods.spec)
	type := security.profile_type(pods.spec, "seccompProfile")
	not type in input.parameters.types
	msg := sprintf("Pod has the seccomp profile %v", [type])
}

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	type := security.profile_type(container.item, "seccompProfile")
	not type in input.parameters.types
	msg := sprintf("Container \"%s\" has the seccomp profile %v", [container.name, type])
}

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	not has_profile(container.item)
	msg := sprintf("Container \"%s\" has no seccomp profile", [container.name])
}

has_profile(container) if {
	type := security.profile_type_in_force(container, pods.spec, "seccompProfile")
	type != ""
}
