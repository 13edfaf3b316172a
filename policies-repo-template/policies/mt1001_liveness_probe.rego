# METADATA
# title: Containers have a liveness probe
# description: >-
#   Without a liveness probe the kubelet cannot see that a container hangs, and never restarts it.
# custom:
#   code: MT1001
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet, apps/DaemonSet, Pod]
package writ.policy_liveness_probe

import data.lib.fields
import data.lib.pod

deny contains msg if {
	some index
	some list in ["containers", "initContainers"]
	container := pod.spec[list][index]
	not fields.has_object(container, "livenessProbe")
	may_have_probes(container, list)
	msg := sprintf("Liveness Probe missing for container \"%s\"", [fields.item_name(container, list, index)])
}

may_have_probes(_, "containers") := true

# Of the init containers only those that keep running, the sidecars: Kubernetes refuses probes on the others, and on
# ephemeral containers.
may_have_probes(container, "initContainers") if container.restartPolicy == "Always"
