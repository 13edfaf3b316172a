package writ.policy_emptydir_test

import data.writ.policy_emptydir.deny

pod(volumes) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": {"volumes": volumes}}}}

sized(limit) := {"name": "cache", "emptyDir": {"sizeLimit": limit}}

message(objection) := sprintf("Size limit of emptyDir volume \"cache\" %s", [objection])

test_limit_up_to_100_megabytes_passes if {
	every limit in ["1M", "50M", "99.5M", "100M"] {
		count(deny) == 0 with input as pod([sized(limit)])
	}
}

test_limit_above_100_megabytes_fails if {
	every limit in ["101M", "100.1M", "1000M"] {
		deny == {message("is greater than 100 Megabytes")} with input as pod([sized(limit)])
	}
}

test_limit_in_another_unit_fails if {
	every limit in ["50Mi", "100Mi", "1G", "1Gi", "500k", "100m", "1000", 1000, "10 M", "1e1xM", "M", "none", true, {}, ["50M"]] {
		deny == {message("is not in Megabytes")} with input as pod([sized(limit)])
	}
}

test_missing_limit_fails if {
	every empty_dir in [{}, {"medium": "Memory"}, {"sizeLimit": null}, null, "text", []] {
		deny == {message("is not set")} with input as pod([{"name": "cache", "emptyDir": empty_dir}])
	}
}

test_limit_that_limits_nothing_is_not_set if {
	every limit in ["", "0", "0M", 0, null] {
		deny == {message("is not set")} with input as pod([sized(limit)])
	}
}

test_each_volume_is_named if {
	deny == {
		"Size limit of emptyDir volume \"cache\" is not set",
		"Size limit of emptyDir volume \"tmp\" is greater than 100 Megabytes",
	} with input as pod([
		{"name": "cache", "emptyDir": {}},
		{"name": "tmp", "emptyDir": {"sizeLimit": "200M"}},
		{"name": "good", "emptyDir": {"sizeLimit": "20M"}},
		{"name": "config", "configMap": {"name": "app"}},
	])
}

test_volume_without_name_is_named_by_its_place if {
	deny == {"Size limit of emptyDir volume \"volumes[0]\" is not set"} with input as pod([{"emptyDir": {}}])
}

test_lone_volume_is_judged if {
	deny == {message("is not set")} with input as pod({"name": "cache", "emptyDir": {}})
}

test_nothing_to_judge_passes if {
	every volumes in [[], null, "text", [null], [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]] {
		count(deny) == 0 with input as pod(volumes)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod([sized("1G")]).review
	count(deny) == 1 with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
