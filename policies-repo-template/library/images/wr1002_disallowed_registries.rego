# METADATA
# title: Images do not come from disallowed registries
# description: >-
#   Some places are known to be wrong, be it for rate limits, for a breach, or because a copy of one's own exists.
# custom:
#   code: WR1002
#   severity: MED
#   kinds: [Pod]
#   enabled: false
#   parameters: {repos: [docker.io]}
package writ.disallowed_registries

import data.writ.lib.images
import data.writ.lib.pod_images

deny contains msg if {
	some used in pod_images.list
	some place in input.parameters.repos
	images.is_in(used.image, place)
	msg := sprintf("Image %s of %s is from %s, which is not allowed", [used.image, used.owner, place])
}
