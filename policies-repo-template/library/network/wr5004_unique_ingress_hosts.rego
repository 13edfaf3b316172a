# METADATA
# title: Each host belongs to one Ingress
# description: >-
#   Two Ingresses with one host share its traffic by the controller's taste, across namespaces too.
# custom:
#   code: WR5004
#   severity: HIGH
#   kinds: [networking.k8s.io/Ingress]
#   enabled: false
#   parameters: {share_within_namespace: true}
package writ.unique_ingress_hosts

import data.lib.fields
import data.writ.lib.inventory
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	some other in others
	some host in taken(other) & hosts(input.review.object)
	msg := sprintf("Host %s belongs to Ingress \"%s/%s\" already", [shown(host), other.metadata.namespace, other.metadata.name])
}

deny contains msg if {
	not reviews.is_deletion
	count(hosts(input.review.object)) > 0
	not inventory.is_there
	msg := sprintf("Hosts cannot be compared with those of other Ingresses%s", [inventory.hint("networking.k8s.io/v1/Ingress")])
}

# The Ingresses that may not have the same host.
others := [other |
	some namespace, _ in inventory.namespaces
	some name, other in inventory.namespaced(namespace, "networking.k8s.io/v1", "Ingress")
	is_another(namespace, name)
]

is_another(namespace, name) if {
	not input.parameters.share_within_namespace
	[namespace, name] != [input.review.namespace, input.review.object.metadata.name]
}

is_another(namespace, _) if {
	input.parameters.share_within_namespace
	namespace != input.review.namespace
}

taken(other) := hosts(other)

# "" stands for all hosts that nobody names.
hosts(ingress) := {lower(object.get(rule, "host", "")) |
	some rule in fields.list_in(ingress.spec, "rules")
	is_object(rule)
}

shown(host) := host if host != ""

else := "\"\" (all that nobody names)"
