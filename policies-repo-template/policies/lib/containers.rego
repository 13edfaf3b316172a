# METADATA
# title: The containers of a pod, wherever the pod is
# description: >-
#   Shared by the policies that judge pods and the workloads that make them. Every container that comes out of here is
#   an object with a name, so that a policy never loses a container because a field is missing or has an odd type.
package lib.containers

# Containers that may have probes: the regular ones and sidecars (init containers that keep running).
# Kubernetes refuses probes on other init containers and on ephemeral ones, so they are not asked for there.
probed := array.concat(regular, sidecars)

# Containers that may have resources: Kubernetes refuses them on ephemeral containers.
resourced := array.concat(regular, init)

# Every container, ephemeral ones (kubectl debug) included.
all := array.concat(array.concat(regular, init), ephemeral)

regular := listed("containers")

init := listed("initContainers")

ephemeral := listed("ephemeralContainers")

sidecars := [container |
	some container in init
	container.restartPolicy == "Always"
]

# The volumes of the pod, each an object with a name.
volumes := listed("volumes")

listed(field) := [item |
	some index, entry in as_list(pod_spec[field])
	item := as_named(entry, field, index)
]

pod_spec := input.review.object.spec if is_pod

pod_spec := input.review.object.spec.template.spec if not is_pod

is_pod if input.review.kind.kind == "Pod"

as_list(value) := value if is_array(value)

else := [] if is_null(value)

else := [value]

as_named(entry, field, index) := entry if is_string(entry.name)

else := object.union(entry, {"name": sprintf("%s[%d]", [field, index])}) if {
	is_object(entry)
}

else := {"name": sprintf("%s[%d]", [field, index])}
