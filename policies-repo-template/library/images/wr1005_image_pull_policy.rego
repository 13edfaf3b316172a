# METADATA
# title: Images are pulled as the platform wants
# description: >-
#   With IfNotPresent a pod can use a private image that another tenant's pod brought to the node, without any right
#   to it.
# custom:
#   code: WR1005
#   severity: LOW
#   kinds: [Pod]
#   enabled: false
#   parameters: {policies: [Always]}
package writ.image_pull_policy

import data.writ.lib.images
import data.writ.lib.pods

deny contains msg if {
	some container in pods.containers
	found := pull_policy(container.item)
	not found in input.parameters.policies
	msg := sprintf("imagePullPolicy of container \"%s\" is %v", [container.name, found])
}

# What is absent gets the default that the API server fills in.
pull_policy(container) := found if {
	found := container.imagePullPolicy
	not found in {null, ""}
}

else := "IfNotPresent" if images.has_digest(container.image)

else := "Always" if images.tag(container.image) == "latest"

else := "IfNotPresent"
