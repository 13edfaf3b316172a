package writ.disallowed_tags_test

import data.writ.disallowed_tags.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"tags": ["latest"]},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"tags": ["latest"]},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"tags": ["latest"]},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "image": "registry.example/app:1"}

bad := {"name": "app", "image": "registry.example/app:latest"}

of(image) := {"containers": [{"name": "app", "image": image}]}

test_moving_tag_fails if {
	every image in ["app:latest", "app", "registry.example:5000/app", "registry.example:5000/app:latest", "team/app"] {
		count(deny) == 1 with input as pod(of(image))
	}
}

test_tag_that_stays_passes if {
	every image in ["app:1", "registry.example:5000/app:1.2.3", "app:latest-1"] {
		count(deny) == 0 with input as pod(of(image))
	}
}

test_digest_wins_over_the_tag if {
	digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	every name in ["app", "app:latest", "registry.example:5000/app:latest"] {
		count(deny) == 0 with input as pod(of(sprintf("%s@%s", [name, digest])))
	}
	count(deny) == 1 with input as pod(of("app:latest@sha256:text"))
}

test_tags_are_a_parameter if {
	parameters := {"tags": ["dev", "main"]}
	count(deny) == 1 with input as given(of("app:dev"), parameters)
	count(deny) == 0 with input as given(of("app:latest"), parameters)
}

test_message_names_the_tag if {
	deny == {"Image app of container \"app\" has the tag \"latest\", which moves"} with input as pod(of("app"))
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
