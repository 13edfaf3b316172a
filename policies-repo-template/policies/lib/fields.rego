# METADATA
# title: Reading fields that may be absent or of an odd type
# description: >-
#   Each function answers for every argument, also for null and for types that the Kubernetes schema would refuse.
#   A policy can therefore say "not fields.has_object(...)" and be sure that only a real object makes it false.
package lib.fields

# A deletion takes an object away: nothing that is wrong with it is a reason to keep it.
is_deletion if input.review.operation == "DELETE"

# The name, or the prefix that the API server completes.
object_name := name if {
	name := input.review.object.metadata.name
	is_string(name)
	name != ""
} else := prefix if {
	prefix := input.review.object.metadata.generateName
	is_string(prefix)
} else := ""

# Whether the field holds an object that says something.
has_object(parent, field) if {
	is_object(parent[field])
	count(parent[field]) > 0
}

# Whether the field is there with a value other than null.
has_value(parent, field) if {
	value := parent[field]
	not is_null(value)
}

# The object in this field; an empty one when there is none.
object_in(parent, field) := parent[field] if is_object(parent[field])

else := {}

# The list in this field; a lone value counts as a list of one.
list_in(parent, field) := as_list(object.get(parent, field, [])) if is_object(parent)

else := []

as_list(value) := value if is_array(value)

else := [] if is_null(value)

else := [value]

# Whether the field holds a quantity above zero: "100m", "1Gi", 0.5, 2. To Kubernetes, a limit of zero is no limit.
has_quantity(parent, field) if {
	value := parent[field]
	is_number(value)
	value > 0
}

has_quantity(parent, field) if {
	value := parent[field]
	is_string(value)
	first_digit := substring(trim_left(value, "+0."), 0, 1)
	first_digit != ""
	contains("123456789", first_digit)
}
