# METADATA
# title: Pods mount no path of the node
# description: >-
#   A hostPath volume gives a pod the node's files, ties it to that node, and is a common way out of the
#   container.
# custom:
#   code: MT1010
#   severity: MED
#   kinds: [Pod]
package writ.policy_host_path

import data.lib.containers
import data.lib.fields

deny contains msg if {
	not fields.is_deletion
	some volume in containers.volumes
	fields.has_value(volume, "hostPath")
	msg := sprintf("hostPath is configured for volume \"%s\"", [volume.name])
}
