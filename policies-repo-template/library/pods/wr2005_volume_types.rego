# METADATA
# title: Pods use the volume types that the platform knows
# description: >-
#   Volumes by driver of the node or of a storage system reach past what PersistentVolumes let the platform decide.
# custom:
#   code: WR2005
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-restricted]
#   parameters:
#     types: [configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret]
package writ.volume_types

import data.lib.fields
import data.writ.lib.pods

deny contains msg if {
	some index
	volume := pods.spec.volumes[index]
	some type in types(volume)
	not type in input.parameters.types
	msg := sprintf("Volume \"%s\" is of type %s", [fields.item_name(volume, "volumes", index), type])
}

# A volume without a source is an emptyDir to Kubernetes.
types(volume) := found if {
	found := {type | some type, source in volume; type != "name"; not is_null(source)}
	count(found) > 0
}

else := {"emptyDir"}
