# METADATA
# title: Secrets are files, not environment variables
# description: >-
#   Environment variables end up in crash reports, in logs and in every child process; files do not.
# custom:
#   code: WR3003
#   severity: LOW
#   kinds: [Pod]
#   enabled: false
#   sets: [cis-5.4.1]
package writ.secrets_in_environment

import data.lib.fields
import data.writ.lib.pods

deny contains msg if {
	some container in pods.containers
	some index
	variable := container.item.env[index]
	source := variable.valueFrom.secretKeyRef
	not is_null(source)
	msg := sprintf("Variable %s of container \"%s\" is from a Secret", [fields.item_name(variable, "env", index), container.name])
}

deny contains msg if {
	some container in pods.containers
	some index
	source := container.item.envFrom[index].secretRef
	not is_null(source)
	msg := sprintf("envFrom[%d] of container \"%s\" is a Secret", [index, container.name])
}
