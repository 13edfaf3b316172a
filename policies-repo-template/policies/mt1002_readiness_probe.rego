# METADATA
# title: Containers have a readiness probe
# description: >-
#   Without a readiness probe a pod receives traffic before it can answer, and keeps receiving it when it no
#   longer can.
# custom:
#   code: MT1002
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet, apps/DaemonSet, Pod]
package writ.policy_readiness_probe

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some container in containers.probed
	not fields.has_object(container, "readinessProbe")
	msg := sprintf("Readiness Probe missing for container \"%s\"", [container.name])
}
