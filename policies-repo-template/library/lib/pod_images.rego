# METADATA
# title: The images that a pod pulls
# description: Those of all its containers, and those of its image volumes.
package writ.lib.pod_images

import data.lib.fields
import data.writ.lib.images
import data.writ.lib.pods

# Each with who pulls it.
list := array.concat(
	[{"image": images.reference(container.item, "image"), "owner": sprintf("container \"%s\"", [container.name])} |
		some container in pods.containers
	],
	[{"image": images.reference(volume.image, "reference"), "owner": sprintf("volume \"%s\"", [fields.item_name(volume, "volumes", index)])} |
		some index
		volume := pods.spec.volumes[index]
		not is_null(volume.image)
	],
)
