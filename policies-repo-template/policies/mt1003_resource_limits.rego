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

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some container in containers.resourced
	limits := fields.object_in(fields.object_in(container, "resources"), "limits")
	missing := concat("/", [label |
		some [resource, label] in [["cpu", "CPU"], ["memory", "MEM"]]
		not fields.has_quantity(limits, resource)
	])
	missing != ""
	msg := sprintf("Resource limits missing (%s) for container \"%s\"", [missing, container.name])
}
