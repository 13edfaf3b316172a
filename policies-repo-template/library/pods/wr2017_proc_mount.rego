# METADATA
# title: Containers see the usual part of /proc
# description: >-
#   The runtime hides parts of /proc through which the kernel of the node can be read and changed.
# custom:
#   code: WR2017
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline]
#   parameters: {allow_user_namespaces: true}
package writ.proc_mount

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not is_in_user_namespace
	some container in pods.containers
	type := security.said(container.item, "procMount")
	type != "Default"
	msg := sprintf("Container \"%s\" has procMount %v", [container.name, type])
}

is_in_user_namespace if {
	input.parameters.allow_user_namespaces
	pods.spec.hostUsers == false
}
