package writ.automount_token_test

import data.writ.automount_token.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"service_accounts": []},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"service_accounts": []},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"service_accounts": []},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

test_pod_that_refuses_the_token_passes if {
	count(deny) == 0 with input as pod({"automountServiceAccountToken": false, "serviceAccountName": "shop"})
}

test_pod_that_does_not_refuse_fails if {
	every value in [true, null, "false", 0] {
		deny == {"Pod mounts the token of service account \"shop\": automountServiceAccountToken is not false"} with input as pod({
			"automountServiceAccountToken": value,
			"serviceAccountName": "shop",
		})
	}
}

test_pod_without_account_has_the_default_one if {
	every spec in [{"containers": []}, {"serviceAccountName": ""}, {"serviceAccountName": null}] {
		deny == {"Pod mounts the token of service account \"default\": automountServiceAccountToken is not false"} with input as pod(spec)
	}
}

test_accounts_that_need_their_token_can_be_named if {
	parameters := {"service_accounts": ["operator"]}
	count(deny) == 0 with input as given({"serviceAccountName": "operator"}, parameters)
	count(deny) == 0 with input as given({"serviceAccount": "operator"}, parameters)
	count(deny) == 1 with input as given({"serviceAccountName": "shop"}, parameters)
}

test_nothing_to_judge_passes if {
	every spec in ["text", null, 7] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated({"serviceAccountName": "shop"}, {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated({"serviceAccountName": "shop"}, {"serviceAccountName": "shop"})
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted({"serviceAccountName": "shop"})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
