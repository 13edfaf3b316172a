# METADATA
# title: Services take no external IPs
# description: >-
#   Whoever may set externalIPs can take over the traffic of the whole cluster to any address (CVE-2020-8554).
# custom:
#   code: WR5002
#   severity: HIGH
#   kinds: [Service]
#   enabled: false
#   parameters: {allowed: []}
package writ.external_ips

import data.lib.fields
import data.writ.lib.reviews

deny contains msg if {
	not reviews.is_deletion
	some ip in fields.list_in(input.review.object.spec, "externalIPs")
	not ip in input.parameters.allowed
	msg := sprintf("Service \"%s\" takes the external IP %v", [fields.object_name(input.review.object), ip])
}
