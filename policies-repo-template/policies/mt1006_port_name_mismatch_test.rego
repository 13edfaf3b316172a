package writ.policy_port_name_mismatch_test

import data.writ.policy_port_name_mismatch.deny

service(ports) := {"review": {
	"kind": {"kind": "Service"},
	"operation": "CREATE",
	"object": {"metadata": {"name": "shop"}, "spec": {"ports": ports}},
}}

mismatch := {"Logical port name \"http\" mismatch with port number \"443\" for service \"shop\""}

test_names_that_agree_pass if {
	every port in [
		{"name": "http", "port": 80},
		{"name": "http", "port": 8443},
		{"name": "https", "port": 443},
		{"name": "http2", "port": 443},
		{"port": 443},
	] {
		count(deny) == 0 with input as service([port])
	}
}

test_http_on_443_fails if {
	deny == mismatch with input as service([{"name": "http", "port": 443}])
}

test_number_as_text_fails if {
	deny == mismatch with input as service([{"name": "http", "port": "443"}])
}

test_every_port_is_judged if {
	deny == mismatch with input as service([{"name": "metrics", "port": 9090}, {"name": "http", "port": 443}])
}

test_target_port_does_not_matter if {
	count(deny) == 0 with input as service([{"name": "http", "port": 80, "targetPort": 443}])
}

test_lone_port_is_judged if {
	deny == mismatch with input as service({"name": "http", "port": 443})
}

test_generated_and_missing_names_do_not_hide_it if {
	ports := [{"name": "http", "port": 443}]
	every metadata in [{"generateName": "shop-"}, {}, {"name": null}, "text"] {
		count(deny) == 1 with input as {"review": {
			"kind": {"kind": "Service"},
			"object": {"metadata": metadata, "spec": {"ports": ports}},
		}}
	}
}

test_nothing_to_judge_passes if {
	every ports in [[], null, "text", [null], [7], [{"name": "http"}]] {
		count(deny) == 0 with input as service(ports)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Service"}, "object": {}}}
}

test_update_is_judged_and_deletion_is_not if {
	review := service([{"name": "http", "port": 443}]).review
	deny == mismatch with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
