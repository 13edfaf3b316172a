# METADATA
# title: Probes and hooks ask the pod itself
# description: >-
#   The kubelet asks from the node, so a probe with a host of its own is a request from inside the network, made for
#   whoever wrote the pod.
# custom:
#   code: WR2020
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted]
package writ.probe_hosts

import data.writ.lib.pods

deny contains msg if {
	some container in pods.containers
	some [place, handler] in handlers(container.item)
	some kind in ["httpGet", "tcpSocket"]
	host := handler[kind].host
	not host in {"", null}
	msg := sprintf("%s of container \"%s\" asks the host %v", [place, container.name, host])
}

# Everything of a container that the kubelet carries out, with its name.
handlers(container) := array.concat(
	[[place, container[place]] | some place in ["livenessProbe", "readinessProbe", "startupProbe"]],
	[[place, container.lifecycle[place]] | some place in ["postStart", "preStop"]],
)
