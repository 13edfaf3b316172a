# METADATA
# title: Pods without need have no service account token
# description: >-
#   A token in the file system is what an intruder uses first to speak to the API server.
# custom:
#   code: WR3001
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [cis-5.1.6]
#   parameters: {service_accounts: []}
package writ.automount_token

import data.writ.lib.access
import data.writ.lib.pods

deny contains msg if {
	is_object(pods.spec)
	not is_refused
	not account in input.parameters.service_accounts
	msg := sprintf("Pod mounts the token of service account \"%s\": automountServiceAccountToken is not false", [account])
}

is_refused if pods.spec.automountServiceAccountToken == false

account := access.service_account(pods.spec)
