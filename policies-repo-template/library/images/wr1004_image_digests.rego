# METADATA
# title: Images are named by digest
# description: >-
#   Only a digest says which content runs. A tag can be pushed again, by a mistake or by whoever took over the
#   registry.
# custom:
#   code: WR1004
#   severity: MED
#   kinds: [Pod]
#   enabled: false
package writ.image_digests

import data.writ.lib.images
import data.writ.lib.pod_images

deny contains msg if {
	some used in pod_images.list
	not images.has_digest(used.image)
	msg := sprintf("Image %s of %s has no digest", [shown(used.image), used.owner])
}

shown(image) := image if image != ""

else := "(none)"
