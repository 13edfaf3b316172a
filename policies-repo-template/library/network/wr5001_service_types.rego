# METADATA
# title: Services stay inside the cluster
# description: >-
#   A load balancer or a node port opens the service to a network that the Ingress does not guard, and a load
#   balancer costs money.
# custom:
#   code: WR5001
#   severity: MED
#   kinds: [Service]
#   enabled: false
#   parameters: {types: [LoadBalancer, NodePort]}
package writ.service_types

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	type := input.review.object.spec.type
	type in input.parameters.types
	msg := sprintf("Service \"%s\" is of type %s", [fields.object_name(input.review.object), type])
}
