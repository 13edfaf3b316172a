# METADATA
# title: Workloads have replicas enough
# description: >-
#   A workload of one replica is away whenever its node is drained.
# custom:
#   code: WR4001
#   severity: LOW
#   kinds: [apps/Deployment, apps/StatefulSet, autoscaling/HorizontalPodAutoscaler, autoscaling/Scale]
#   enabled: false
#   parameters: {minimum: 2, allow_zero: true}
package writ.minimum_replicas

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	wanted := replicas
	not is_enough(wanted)
	msg := sprintf("\"%s\" asks for %v replicas, not for at least %d", [name, wanted, input.parameters.minimum])
}

# What is absent is 1 to Kubernetes.
replicas := found if {
	found := input.review.object.spec[field]
	not is_null(found)
}

else := 1 if is_object(input.review.object.spec)

field := "minReplicas" if input.review.kind.kind == "HorizontalPodAutoscaler"

else := "replicas"

is_enough(wanted) if {
	is_number(wanted)
	wanted >= input.parameters.minimum
}

# A workload that is stopped on purpose.
is_enough(0) if input.parameters.allow_zero

name := fields.object_name(input.review.object)
