# METADATA
# title: Containers keep the SELinux labels of containers
# description: >-
#   A type, user or role of one's own can leave the confinement that keeps containers from the node and from each
#   other.
# custom:
#   code: WR2016
#   severity: HIGH
#   kinds: [Pod]
#   enabled: false
#   sets: [pss-baseline, pss-restricted]
#   parameters: {types: [container_t, container_init_t, container_kvm_t, container_engine_t]}
package writ.selinux

import data.writ.lib.pods

deny contains msg if {
	some objection in objections(pods.spec)
	msg := sprintf("Pod sets the SELinux %s", [objection])
}

deny contains msg if {
	some container in pods.containers
	some objection in objections(container.item)
	msg := sprintf("Container \"%s\" sets the SELinux %s", [container.name, objection])
}

# What is wrong with the options of one security context.
objections(owner) := {objection |
	some field in ["type", "user", "role"]
	value := owner.securityContext.seLinuxOptions[field]
	not value in {"", null}
	not is_allowed(field, value)
	objection := sprintf("%s %v", [field, value])
}

is_allowed("type", value) if value in input.parameters.types
