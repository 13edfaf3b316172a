# METADATA
# title: Containers have CPU and memory limits
# description: >-
#   A container without limits can take all of its node's processors and memory from its neighbours. A limit of
#   zero is no limit.
# custom:
#   code: MT1003
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet, apps/DaemonSet, Pod]
package writ.policy_resource_limits

import data.lib.fields
import data.lib.pod

# Kubernetes refuses resources on ephemeral containers, so they are not asked for there.
deny contains msg if {
	some index
	some list in ["containers", "initContainers"]
	container := pod.spec[list][index]
	not has_both(container)
	msg := sprintf("Resource limits missing (%s) for container \"%s\"", [
		missing(container),
		fields.item_name(container, list, index),
	])
}

has_both(container) if {
	limits := container.resources.limits
	fields.has_quantity(limits, "cpu")
	fields.has_quantity(limits, "memory")
}

missing(container) := "CPU" if fields.has_quantity(container.resources.limits, "memory")

else := "MEM" if fields.has_quantity(container.resources.limits, "cpu")

else := "CPU/MEM"
