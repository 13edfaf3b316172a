# METADATA
# title: emptyDir volumes have a size limit of at most 100 megabytes
# description: >-
#   An emptyDir without a limit can fill the node's disk, and the kubelet then evicts pods that did nothing
#   wrong. The limit is written with the suffix M.
# custom:
#   code: MT1009
#   severity: MED
#   kinds: [Pod]
package writ.policy_emptydir

import data.lib.fields
import data.lib.pod

most_megabytes := 100

deny contains msg if {
	some index, volume in fields.list_in(pod.spec, "volumes")
	"emptyDir" in object.keys(volume)
	msg := sprintf("Size limit of emptyDir volume \"%s\" %s", [
		fields.item_name(volume, "volumes", index),
		objection(volume.emptyDir),
	])
}

# What is wrong with the size limit; undefined when nothing is.
objection(empty_dir) := "is not set" if not fields.has_quantity(empty_dir, "sizeLimit")

else := "is not in Megabytes" if not is_megabytes(empty_dir.sizeLimit)

else := "is greater than 100 Megabytes" if to_number(trim_suffix(empty_dir.sizeLimit, "M")) > most_megabytes

is_megabytes(size) if {
	is_string(size)
	regex.match(`^[0-9]+([.][0-9]+)?M$`, size)
}
