# METADATA
# title: Nothing lives in the default namespace
# description: >-
#   What is put there by forgetting -n shares names, accounts and policies with everything else that was.
# custom:
#   code: WR6003
#   severity: LOW
#   kinds: [Pod, Service, PersistentVolumeClaim, apps/Deployment, apps/StatefulSet, apps/DaemonSet, apps/ReplicaSet, batch/Job, batch/CronJob, networking.k8s.io/Ingress, rbac.authorization.k8s.io/Role, rbac.authorization.k8s.io/RoleBinding]
#   expand: false
#   enabled: false
#   sets: [cis-5.7.4]
#   parameters: {namespaces: [default], allowed: [Service/kubernetes]}
package writ.default_namespace

import data.lib.fields

deny contains msg if {
	not is_there_already
	input.review.namespace in input.parameters.namespaces
	not what in input.parameters.allowed
	msg := sprintf("%s is in the namespace \"%s\"", [what, input.review.namespace])
}

is_there_already if input.review.operation in {"UPDATE", "DELETE"}

what := sprintf("%s/%s", [input.review.kind.kind, fields.object_name(input.review.object)])
