# METADATA
# title: Containers give up the capabilities that an attack needs
# description: >-
#   When a flaw needs one capability, such as NET_RAW, giving it up everywhere closes the flaw before nodes are
#   patched.
# custom:
#   code: WR2008
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [cis-5.2.8]
#   parameters: {capabilities: [NET_RAW]}
package writ.capabilities_dropped

import data.writ.lib.pods
import data.writ.lib.security

deny contains msg if {
	not security.is_windows(pods.spec)
	some container in pods.containers
	some capability in input.parameters.capabilities
	reason := objection(container.item, capability)
	msg := sprintf("Container \"%s\" keeps capability %s: %s", [container.name, capability, reason])
}

# Why the container has the capability; undefined when it has not. What is added comes back whatever is dropped.
objection(container, capability) := "it is privileged" if {
	privileged := container.securityContext.privileged
	not privileged in {false, null}
}

else := "it is added" if {
	some added in security.capabilities(container, "add")
	plain(added) in {"ALL", capability}
}

else := "it is not dropped" if {
	dropped := {name | some name in security.capabilities(container, "drop")}
	count(dropped & {"ALL", capability}) == 0
}

# Runtimes do not mind case.
plain(capability) := trim_prefix(upper(sprintf("%v", [capability])), "CAP_")
