# METADATA
# title: Images come from approved registries
# description: >-
#   What runs in the fleet was built, scanned and kept by the organisation, and can be traced. Whoever may push to
#   an unknown registry may otherwise run code in every cluster.
# custom:
#   code: WR1001
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   parameters: {repos: []}
package writ.allowed_registries

import data.writ.lib.images
import data.writ.lib.pod_images

deny contains msg if {
	some used in pod_images.list
	not is_approved(used.image)
	msg := sprintf("Image %s of %s is from no approved registry%s", [shown(used.image), used.owner, hint])
}

is_approved(image) if {
	some place in input.parameters.repos
	images.is_in(image, place)
}

shown(image) := image if image != ""

else := "(none)"

# Without a list nothing is approved, and whoever turned the policy on should hear why.
hint := "" if count(input.parameters.repos) > 0

else := ": the parameter repos is empty, set it in fleet.yaml"
