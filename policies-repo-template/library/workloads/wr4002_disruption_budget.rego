# METADATA
# title: Workloads have a PodDisruptionBudget
# description: >-
#   Without a budget a drain may take all replicas at once.
# custom:
#   code: WR4002
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet]
#   enabled: false
#   parameters: {from_replicas: 2}
package writ.disruption_budget

import data.lib.fields
import data.writ.lib.inventory
import data.writ.lib.reviews
import data.writ.lib.selectors

deny contains msg if {
	needs_budget
	not has_budget
	msg := sprintf("No PodDisruptionBudget in namespace \"%s\" selects the pods of \"%s\"%s", [namespace, name, hint])
}

needs_budget if {
	not reviews.is_deletion
	replicas >= input.parameters.from_replicas
}

# What is absent is 1 to Kubernetes.
replicas := found if {
	found := input.review.object.spec.replicas
	not is_null(found)
}

else := 1 if is_object(input.review.object.spec)

has_budget if {
	some budget in inventory.namespaced(namespace, "policy/v1", "PodDisruptionBudget")
	selectors.selects(budget.spec.selector, object.get(input.review.object.spec.template, ["metadata", "labels"], {}))
}

hint := inventory.hint("policy/v1/PodDisruptionBudget")

namespace := input.review.namespace

name := fields.object_name(input.review.object)
