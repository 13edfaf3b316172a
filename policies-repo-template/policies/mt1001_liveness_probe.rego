# METADATA
# title: Containers have a liveness probe
# description: >-
#   Without a liveness probe the kubelet cannot see that a container hangs, and never restarts it.
# custom:
#   code: MT1001
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet, apps/DaemonSet, Pod]
package writ.policy_liveness_probe

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some container in containers.probed
	not fields.has_object(container, "livenessProbe")
	msg := sprintf("Liveness Probe missing for container \"%s\"", [container.name])
}
