package writ.image_pull_policy_test

import data.writ.image_pull_policy.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"policies": ["Always"]},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"policies": ["Always"]},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"policies": ["Always"]},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "image": "app:1", "imagePullPolicy": "Always"}

bad := {"name": "app", "image": "app:1", "imagePullPolicy": "IfNotPresent"}

test_other_policies_fail if {
	every found in ["IfNotPresent", "Never", "always", 7] {
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "image": "app:1", "imagePullPolicy": found}]})
	}
}

test_absent_policy_is_what_kubernetes_fills_in if {
	every container in [{"image": "app:1"}, {"image": "app:1", "imagePullPolicy": null}, {}] {
		deny == {"imagePullPolicy of container \"containers[0]\" is IfNotPresent"} with input as pod({"containers": [container]})
	}
	every image in ["app", "app:latest"] {
		count(deny) == 0 with input as pod({"containers": [{"image": image}]})
	}
}

test_allowed_policies_are_a_parameter if {
	count(deny) == 0 with input as given({"containers": [bad]}, {"policies": ["Always", "IfNotPresent"]})
}

test_containers_of_every_list_are_judged if {
	every list in ["containers", "initContainers", "ephemeralContainers"] {
		count(deny) == 1 with input as pod({list: [bad]})
		count(deny) == 0 with input as pod({list: [good]})
	}
}

test_each_container_is_judged_by_itself if {
	other := object.union(bad, {"name": "log"})
	count(deny) == 2 with input as pod({"containers": [bad, good, other]})
}

test_container_without_name_is_named_by_its_place if {
	found := deny with input as pod({"containers": [good, object.remove(bad, ["name"])]})
	count(found) == 1
	every msg in found {
		contains(msg, "containers[1]")
	}
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated({"containers": [bad]}, {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated({"containers": [bad]}, {"containers": [bad]})
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted({"containers": [bad]})
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
