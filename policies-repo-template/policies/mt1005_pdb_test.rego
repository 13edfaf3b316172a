package writ.policy_pdb_test

import data.writ.policy_pdb.deny

budget(spec) := {"review": {
	"kind": {"group": "policy", "kind": "PodDisruptionBudget"},
	"operation": "CREATE",
	"object": {"metadata": {"name": "web"}, "spec": spec},
}}

test_percentages_within_the_range_pass if {
	every value in ["0%", "1%", "33%", "50%", "66%"] {
		count(deny) == 0 with input as budget({"minAvailable": value})
	}
	every value in ["33%", "34%", "66%", "67%", "100%"] {
		count(deny) == 0 with input as budget({"maxUnavailable": value})
	}
}

test_min_available_above_the_range_fails if {
	every value in ["67%", "70%", "100%", "101%", "-1%"] {
		expected := {sprintf("Value (%s) for \"minAvailable\" not within range 0%%-66%%", [value])}
		deny == expected with input as budget({"minAvailable": value})
	}
}

test_max_unavailable_outside_the_range_fails if {
	every value in ["0%", "1%", "32%", "101%", "-33%"] {
		expected := {sprintf("Value (%s) for \"maxUnavailable\" not within range 33%%-100%%", [value])}
		deny == expected with input as budget({"maxUnavailable": value})
	}
}

test_integer_fails if {
	deny == {"Value \"1\" for \"minAvailable\" should be a Percentage, not an Integer"} with input as budget({"minAvailable": 1})
	deny == {"Value \"0\" for \"maxUnavailable\" should be a Percentage, not an Integer"} with input as budget({"maxUnavailable": 0})
}

test_integer_as_text_fails if {
	deny == {"Value \"50\" for \"minAvailable\" should be a Percentage, not an Integer"} with input as budget({"minAvailable": "50"})
}

test_both_fields_are_judged if {
	deny == {
		"Value \"1\" for \"minAvailable\" should be a Percentage, not an Integer",
		"Value (10%) for \"maxUnavailable\" not within range 33%-100%",
	} with input as budget({"minAvailable": 1, "maxUnavailable": "10%"})
	count(deny) == 0 with input as budget({"minAvailable": "66%", "maxUnavailable": "33%"})
}

test_percentage_that_is_no_number_fails if {
	every value in ["%", "x%", "fifty%", "50%%", "5 0%", " 50%", "50 %", "+50%", "-50%", "50.5%", "1e1%"] {
		expected := {sprintf("Value (%s) for \"minAvailable\" not within range 0%%-66%%", [value])}
		deny == expected with input as budget({"minAvailable": value})
	}
}

test_odd_types_fail if {
	every value in ["", "half", true, false, {}, ["50%"], 0.5] {
		count(deny) == 1 with input as budget({"maxUnavailable": value})
	}
}

test_absent_fields_pass if {
	every spec in [{}, {"selector": {}}, {"minAvailable": null}] {
		count(deny) == 0 with input as budget(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "PodDisruptionBudget"}, "object": {}}}
}

test_update_is_judged_and_deletion_is_not if {
	review := budget({"minAvailable": 1}).review
	count(deny) == 1 with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
