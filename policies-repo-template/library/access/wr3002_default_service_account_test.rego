package writ.default_service_account_test

import data.writ.default_service_account.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"allow_without_token": true},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"allow_without_token": true},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"allow_without_token": true},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

test_account_of_its_own_passes if {
	every spec in [{"serviceAccountName": "shop"}, {"serviceAccount": "shop"}] {
		count(deny) == 0 with input as pod(spec)
	}
}

test_default_account_fails_named_or_not if {
	every spec in [{"serviceAccountName": "default"}, {"serviceAccountName": null}, {"serviceAccountName": ""}, {"containers": []}, {"serviceAccount": "default"}] {
		deny == {"Pod uses the service account \"default\""} with input as pod(spec)
	}
}

test_pod_without_token_does_not_use_its_account if {
	spec := {"automountServiceAccountToken": false}
	count(deny) == 0 with input as pod(spec)
	count(deny) == 1 with input as given(spec, {"allow_without_token": false})
	count(deny) == 1 with input as pod({"automountServiceAccountToken": true})
}

test_nothing_to_judge_passes if {
	every spec in ["text", null, 7] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated({"serviceAccountName": "default"}, {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated({"serviceAccountName": "default"}, {"serviceAccountName": "default"})
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted({"serviceAccountName": "default"})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
