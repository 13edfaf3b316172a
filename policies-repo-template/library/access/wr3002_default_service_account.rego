# METADATA
# title: Pods have a service account of their own
# description: >-
#   What is granted to the default account is granted to every pod of the namespace that named none.
# custom:
#   code: WR3002
#   severity: LOW
#   kinds: [Pod]
#   enabled: false
#   sets: [cis-5.1.5]
#   parameters: {allow_without_token: true}
package writ.default_service_account

import data.writ.lib.access
import data.writ.lib.pods

deny contains msg if {
	is_object(pods.spec)
	access.service_account(pods.spec) == "default"
	not is_without_token
	msg := "Pod uses the service account \"default\""
}

is_without_token if {
	input.parameters.allow_without_token
	pods.spec.automountServiceAccountToken == false
}
