# METADATA
# title: Pod disruption budgets leave room for node maintenance
# description: >-
#   An absolute number stops being right when replicas change, and a budget that allows too few disruptions
#   blocks node drains and upgrades.
# custom:
#   code: MT1005
#   severity: HIGH
#   kinds: [policy/PodDisruptionBudget]
package writ.policy_pdb

# Lowest and highest percentage that leaves both the workload and its operators room.
ranges := {
	"minAvailable": [0, 66],
	"maxUnavailable": [33, 100],
}

deny contains msg if {
	some field, _ in ranges
	value := budget(field)
	not is_percentage(value)
	msg := sprintf("Value \"%v\" for \"%s\" should be a Percentage, not an Integer", [value, field])
}

deny contains msg if {
	some field, range in ranges
	value := budget(field)
	is_percentage(value)
	not is_within(value, range[0], range[1])
	msg := sprintf("Value (%s) for \"%s\" not within range %d%%-%d%%", [value, field, range[0], range[1]])
}

budget(field) := value if {
	not is_deletion
	value := input.review.object.spec[field]
	not is_null(value)
}

is_deletion if input.review.operation == "DELETE"

is_percentage(value) if {
	is_string(value)
	endswith(value, "%")
}

is_within(value, lowest, highest) if {
	regex.match("^[0-9]+%$", value)
	number := to_number(trim_suffix(value, "%"))
	number >= lowest
	number <= highest
}
