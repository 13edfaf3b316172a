# METADATA
# title: AppArmor is not turned off
# description: >-
#   On nodes with AppArmor the runtime's profile keeps a container from mounting and from the node's files.
# custom:
#   code: WR2015
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted]
package writ.apparmor

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	type := security.profile_type(pods.spec, "appArmorProfile")
	not type in allowed
	msg := sprintf("Pod has the AppArmor profile %v", [type])
}

deny contains msg if {
	some container in pods.containers
	type := security.profile_type(container.item, "appArmorProfile")
	not type in allowed
	msg := sprintf("Container \"%s\" has the AppArmor profile %v", [container.name, type])
}

# How it was said before Kubernetes 1.30.
deny contains msg if {
	not is_null(pods.spec)
	some name, value in pods.notes(input.review.object)
	startswith(name, "container.apparmor.security.beta.kubernetes.io/")
	not is_allowed_note(value)
	msg := sprintf("Annotation %s is %v", [name, value])
}

allowed := {"RuntimeDefault", "Localhost"}

is_allowed_note(value) if value in {"", "runtime/default"}

is_allowed_note(value) if startswith(value, "localhost/")
