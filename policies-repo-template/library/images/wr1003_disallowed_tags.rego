# METADATA
# title: Images carry a tag that stays
# description: >-
#   A tag that moves, such as latest, means something else tomorrow: replicas differ, and a rollback brings back
#   nothing.
# custom:
#   code: WR1003
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   parameters: {tags: [latest]}
package writ.disallowed_tags

import data.writ.lib.images
import data.writ.lib.pod_images

deny contains msg if {
	some used in pod_images.list
	not images.has_digest(used.image)
	tag := images.tag(used.image)
	tag in input.parameters.tags
	msg := sprintf("Image %s of %s has the tag \"%s\", which moves", [used.image, used.owner, tag])
}
