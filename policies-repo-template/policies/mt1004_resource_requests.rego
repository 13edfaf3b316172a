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

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some container in containers.resourced
	requests := fields.object_in(fields.object_in(container, "resources"), "requests")
	missing := concat("/", [label |
		some [resource, label] in [["cpu", "CPU"], ["memory", "MEM"]]
		not fields.has_quantity(requests, resource)
	])
	missing != ""
	msg := sprintf("Resource requests missing (%s) for container \"%s\"", [missing, container.name])
}
