# METADATA
# title: What a security context says
# description: >-
#   A container's own field wins over the pod's; null and an absent field say nothing. Functions only: they cost
#   nothing until they are called.
package writ.lib.security

# The field's value of one security context; undefined when it says nothing.
said(owner, field) := value if {
	value := owner.securityContext[field]
	not is_null(value)
}

# The value that holds for the container: its own, or the pod's. Undefined when neither says anything.
in_force(container, spec, field) := found if found := said(container, field)

else := said(spec, field)

# The type of a profile (seccompProfile, appArmorProfile) in one security context; undefined when it says nothing.
profile_type(owner, field) := value if {
	value := owner.securityContext[field].type
	not is_null(value)
}

profile_type_in_force(container, spec, field) := found if found := profile_type(container, field)

else := profile_type(spec, field)

# Whether the pod asks for Windows, where most of a Linux security context has no meaning and is refused.
is_windows(spec) if spec.os.name == "windows"

# The capabilities in this list of the container (add or drop); a lone one counts as a list of one.
capabilities(container, list) := found if {
	found := container.securityContext.capabilities[list]
	is_array(found)
}

else := [found] if {
	found := container.securityContext.capabilities[list]
	not is_null(found)
}

else := []
