# METADATA
# title: Pods stay out of the node's namespaces
# description: >-
#   A pod in the node's network, process or IPC namespace sees what belongs to the node and to other pods, and
#   network policies do not reach it.
# custom:
#   code: WR2002
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted, cis-5.2.3, cis-5.2.4, cis-5.2.5]
package writ.host_namespaces

import data.writ.lib.pods

deny contains msg if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	value := pods.spec[field]
	not value in {false, null}
	msg := sprintf("Pod shares the node's namespaces: %s is set", [field])
}
