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

import data.lib.fields
import data.lib.pod

deny contains msg if {
	some index, volume in fields.list_in(pod.spec, "volumes")
	fields.has_value(volume, "hostPath")
	msg := sprintf("hostPath is configured for volume \"%s\"", [fields.item_name(volume, "volumes", index)])
}
