# METADATA
# title: Reading fields that may be absent or of an odd type
# description: >-
#   Each function answers for every argument that is there, also for null and for types that the Kubernetes schema would
#   refuse. A policy can therefore say "not fields.has_object(...)" and be sure that only a real object makes it false.
#   There are only functions here: they cost nothing until they are called.
package lib.fields

# Whether the field holds an object that says something.
has_object(parent, field) if {
	value := parent[field]
	is_object(value)
	value != {}
}

# Whether the field is there with a value other than null.
has_value(parent, field) if {
	value := parent[field]
	not is_null(value)
}

# Whether the field holds a quantity that is not zero. To Kubernetes a limit of zero is no limit. The API server writes
# every zero as "0"; the other forms are for reviews that no API server made.
has_quantity(parent, field) if {
	value := parent[field]
	not value in {null, "", 0, "0", "0m", "0k", "0M", "0G", "0Ki", "0Mi", "0Gi", "0.0"}
}

# The list in this field; anything else but null counts as a list of one.
list_in(parent, field) := list if {
	list := parent[field]
	is_array(list)
}

else := list if {
	value := parent[field]
	not is_null(value)
	list := [value]
}

# The name of the item at this place of a list; the place itself when it has none.
item_name(item, list, index) := item.name if is_string(item.name)

else := place if place := sprintf("%s[%v]", [list, index])

# The object's name, or the prefix that the API server completes.
object_name(object) := object.metadata.name if {
	is_string(object.metadata.name)
	object.metadata.name != ""
}

else := prefix if {
	prefix := object.metadata.generateName
	is_string(prefix)
}

else := ""
