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

import data.lib.fields
import data.lib.pod

deny contains msg if {
	some index
	some list in ["containers", "initContainers"]
	container := pod.spec[list][index]
	not fields.has_object(container, "readinessProbe")
	may_have_probes(container, list)
	msg := sprintf("Readiness Probe missing for container \"%s\"", [fields.item_name(container, list, index)])
}

may_have_probes(_, "containers") := true

# Of the init containers only those that keep running, the sidecars: Kubernetes refuses probes on the others, and on
# ephemeral containers.
may_have_probes(container, "initContainers") if container.restartPolicy == "Always"
