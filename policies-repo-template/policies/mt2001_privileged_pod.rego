# METADATA
# title: Containers are not privileged
# description: >-
#   A privileged container has all rights of the node's root user: whoever takes the container has taken the
#   node.
# custom:
#   code: MT2001
#   severity: HIGH
#   kinds: [apps/Deployment, apps/StatefulSet, apps/DaemonSet, Pod]
package writ.policy_privileged_pod

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some container in containers.all
	is_privileged(container)
	msg := sprintf("Found privileged Security Context for container \"%s\"", [container.name])
}

# Anything but a plain "no" counts, also a value of an odd type.
is_privileged(container) if {
	privileged := container.securityContext.privileged
	not privileged in {false, null}
}
