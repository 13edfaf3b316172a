# METADATA
# title: Containers have CPU and memory requests
# description: >-
#   The scheduler places pods by their requests. A container without them, or with requests of zero, lands on
#   nodes that have no room for it and is the first to be evicted.
# custom:
#   code: MT1004
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet, apps/DaemonSet, Pod]
package writ.policy_resource_requests

import data.lib.fields
import data.lib.pod

# Kubernetes refuses resources on ephemeral containers, so they are not asked for there.
deny contains msg if {
	some index
	some list in ["containers", "initContainers"]
	container := pod.spec[list][index]
	not has_both(container)
	msg := sprintf("Resource requests missing (%s) for container \"%s\"", [
		missing(container),
		fields.item_name(container, list, index),
	])
}

has_both(container) if {
	requests := container.resources.requests
	fields.has_quantity(requests, "cpu")
	fields.has_quantity(requests, "memory")
}

missing(container) := "CPU" if fields.has_quantity(container.resources.requests, "memory")

else := "MEM" if fields.has_quantity(container.resources.requests, "cpu")

else := "CPU/MEM"
