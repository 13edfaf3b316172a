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

import data.lib.fields
import data.lib.pod

# Anything but a plain "no" counts, also a value of an odd type.
deny contains msg if {
	some index
	some list in ["containers", "initContainers", "ephemeralContainers"]
	container := pod.spec[list][index]
	privileged := container.securityContext.privileged
	not privileged in {false, null}
	msg := sprintf("Found privileged Security Context for container \"%s\"", [fields.item_name(container, list, index)])
}
