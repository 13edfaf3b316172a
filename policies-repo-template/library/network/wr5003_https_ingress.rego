# METADATA
# title: Ingresses speak HTTPS only
# description: >-
#   What goes over plain HTTP is read and changed on the way.
# custom:
#   code: WR5003
#   severity: MED
#   kinds: [networking.k8s.io/Ingress]
#   enabled: false
#   parameters: {annotations: {}}
package writ.https_ingress

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	some host in hosts
	not is_covered(host)
	msg := sprintf("Ingress \"%s\" has no TLS for %s", [name, shown(host)])
}

deny contains msg if {
	not reviews.is_deletion
	is_object(input.review.object.spec)
	some annotation, wanted in input.parameters.annotations
	not has_annotation(annotation, wanted)
	msg := sprintf("Ingress \"%s\" accepts plain HTTP: annotation %s is not \"%s\"", [name, annotation, wanted])
}

# The hosts that the Ingress answers for; "" stands for all of them.
hosts := {object.get(rule, "host", "") |
	some rule in fields.list_in(input.review.object.spec, "rules")
	is_object(rule)
} | {"" | is_object(input.review.object.spec.defaultBackend)}

# An entry without hosts is the controller's own certificate, for every host.
is_covered(host) if {
	some entry in fields.list_in(input.review.object.spec, "tls")
	is_object(entry)
	covered := [item | some item in fields.list_in(entry, "hosts")]
	covers(covered, host)
}

covers([], _) := true

covers(covered, host) if {
	some item in covered
	lower(item) in {lower(host), wildcard(host)}
}

# A certificate for "*.example" is one for "shop.example", and not for "a.shop.example".
wildcard(host) := concat(".", array.concat(["*"], array.slice(labels, 1, count(labels)))) if labels := split(lower(host), ".")

has_annotation(annotation, wanted) if input.review.object.metadata.annotations[annotation] == wanted

name := fields.object_name(input.review.object)

shown(host) := host if host != ""

else := "hosts that it does not name"
