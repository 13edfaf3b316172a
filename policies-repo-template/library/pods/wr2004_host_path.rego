# METADATA
# title: Pods mount no path of the node
# description: >-
#   A path of the node shows the container credentials of the kubelet, the runtime's socket and the files of other
#   pods.
# custom:
#   code: WR2004
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, cis-5.2.12]
#   parameters: {paths: []}
package writ.host_path

import data.lib.fields
import data.writ.lib.pods

deny contains msg if {
	some index
	volume := pods.spec.volumes[index]
	source := volume.hostPath
	not is_null(source)
	not is_allowed(source)
	msg := sprintf("Volume \"%s\" mounts a path of the node", [fields.item_name(volume, "volumes", index)])
}

is_allowed(source) if {
	some path in input.parameters.paths
	place := trim_suffix(path, "/")
	place != ""
	not ".." in split(source.path, "/")
	some end in ["", "/"]
	startswith(concat("", [source.path, end]), concat("", [place, "/"]))
}
