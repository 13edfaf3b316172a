# METADATA
# title: References to images
# description: >-
#   What a reference stands for once the defaults of container runtimes are filled in. Functions only: they cost
#   nothing until they are called.
package writ.lib.images

# The reference with its registry and in lower case: "nginx:1" stands for "docker.io/library/nginx:1".
full(image) := sprintf("docker.io/library/%s", [rest]) if {
	rest := without_hub(lower(image))
	not contains(rest, "/")
}

else := sprintf("docker.io/%s", [rest]) if {
	rest := without_hub(lower(image))
	rest != lower(image)
}

else := lower(image) if has_registry(lower(image))

else := sprintf("docker.io/%s", [lower(image)])

without_hub(image) := trim_prefix(trim_prefix(image, "index.docker.io/"), "docker.io/")

# A first part with a dot or a port is a registry; others are accounts of Docker Hub.
has_registry(image) if {
	contains(image, "/")
	regex.match(`[.:]|^localhost$`, split(image, "/")[0])
}

# Whether the reference lies in this repository or below this registry. "registry.example/team" holds
# "registry.example/team/app:1" and "registry.example/team:1", and not "registry.example/teamwork".
is_in(image, place) if {
	image != ""
	prefix := trim_suffix(lower(place), "/")
	prefix != ""
	reference := full(image)
	startswith(reference, prefix)
	rest := substring(reference, count(prefix), -1)
	substring(rest, 0, 1) in ends(prefix)
}

# What follows a registry's name with ":" is a port, hence another registry.
ends(place) := {"", "/", ":", "@"} if contains(place, "/")

else := {"/"}

# Whether the reference names the content itself.
has_digest(image) if regex.match(`@[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$`, image)

# The tag, or "latest" when there is none.
tag(image) := found if {
	parts := split(split(image, "@")[0], "/")
	[_, found] := split(parts[count(parts) - 1], ":")
}

else := "latest"

# The reference of a container or of an image volume; empty when there is none.
reference(owner, field) := owner[field] if is_string(owner[field])

else := ""
