package writ.policy_singleton_pod_check_test

import data.writ.policy_singleton_pod_check.deny

pod(metadata) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"metadata": metadata}}}

owner := {"kind": "ReplicaSet", "name": "web-5f7d", "controller": true}

test_owned_pod_passes if {
	count(deny) == 0 with input as pod({"name": "web-5f7d-x", "ownerReferences": [owner]})
	count(deny) == 0 with input as pod({"generateName": "web-5f7d-", "ownerReferences": [owner]})
}

test_pod_without_owner_fails if {
	deny == {"\"shell\" is a singleton pod."} with input as pod({"name": "shell"})
}

test_owners_that_name_nobody_do_not_count if {
	every owners in [[], null, {}, "ReplicaSet", true] {
		deny == {"\"shell\" is a singleton pod."} with input as pod({"name": "shell", "ownerReferences": owners})
	}
}

test_generated_name_is_shown_by_its_prefix if {
	deny == {"\"job-\" is a singleton pod."} with input as pod({"generateName": "job-"})
	deny == {"\"job-\" is a singleton pod."} with input as pod({"name": "", "generateName": "job-"})
}

test_missing_name_does_not_hide_it if {
	every metadata in [{}, null, "text", {"name": 7}] {
		deny == {"\"\" is a singleton pod."} with input as pod(metadata)
	}
	deny == {"\"\" is a singleton pod."} with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}

test_update_is_judged_and_deletion_is_not if {
	review := pod({"name": "shell"}).review
	count(deny) == 1 with input as {"review": object.union(review, {"operation": "UPDATE"})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
}
