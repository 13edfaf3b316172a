# METADATA
# title: Containers do not run as root
# description: >-
#   Root in a container is root of whatever it escapes to, unless the pod has a user namespace of its own.
# custom:
#   code: WR2010
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-restricted, cis-5.2.7]
#   parameters: {allow_user_namespaces: true}
package writ.run_as_non_root

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not is_in_user_namespace
	security.said(pods.spec, "runAsNonRoot") != true
	msg := "Pod sets runAsNonRoot to false"
}

deny contains msg if {
	not is_in_user_namespace
	some container in pods.containers
	not is_non_root(container.item)
	msg := sprintf("Container \"%s\" may run as root: runAsNonRoot is not true", [container.name])
}

deny contains msg if {
	not is_in_user_namespace
	is_root(pods.spec)
	msg := "Pod runs as root: runAsUser is 0"
}

deny contains msg if {
	not is_in_user_namespace
	some container in pods.containers
	is_root(container.item)
	msg := sprintf("Container \"%s\" runs as root: runAsUser is 0", [container.name])
}

is_non_root(container) if security.in_force(container, pods.spec, "runAsNonRoot") == true

is_root(owner) if owner.securityContext.runAsUser in {0, "0"}

is_in_user_namespace if {
	input.parameters.allow_user_namespaces
	pods.spec.hostUsers == false
}
