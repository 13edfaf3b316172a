# METADATA
# title: Pods are selected by a NetworkPolicy
# description: >-
#   A pod that no NetworkPolicy selects can be reached by every other pod of the cluster.
# custom:
#   code: WR4003
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [cis-5.3.2]
package writ.network_policy

import data.writ.lib.inventory
import data.writ.lib.pods
import data.writ.lib.selectors

deny contains msg if {
	is_object(pods.spec)
	not is_in_the_nodes_network
	not is_selected
	msg := sprintf("No NetworkPolicy in namespace \"%s\" selects the pod%s", [namespace, hint])
}

# Network policies do not reach these; WR2002 is about them.
is_in_the_nodes_network if pods.spec.hostNetwork == true

is_selected if {
	some found in inventory.namespaced(namespace, "networking.k8s.io/v1", "NetworkPolicy")
	selectors.selects(object.get(found.spec, "podSelector", {}), labels)
}

labels := found if found := input.review.object.metadata.labels

else := {}

hint := inventory.hint("networking.k8s.io/v1/NetworkPolicy")

namespace := input.review.namespace
