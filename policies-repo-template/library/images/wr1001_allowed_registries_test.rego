package writ.allowed_registries_test

import data.writ.allowed_registries.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"repos": []},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"repos": []},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"repos": []},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

from(image) := {"containers": [{"name": "app", "image": image}]}

places := {"repos": ["registry.example", "docker.io/library/", "ghcr.io/shop/tools"]}

good := {"name": "app", "image": "registry.example/app:1"}

bad := {"name": "app", "image": "quay.io/app:1"}

test_image_below_an_approved_place_passes if {
	every image in [
		"registry.example/app:1", "registry.example/team/app@sha256:00", "REGISTRY.example/app", "nginx", "nginx:1.27",
		"library/nginx", "docker.io/nginx", "index.docker.io/library/nginx:1", "ghcr.io/shop/tools:2",
		"ghcr.io/shop/tools/lint", "ghcr.io/shop/tools@sha256:00",
	] {
		count(deny) == 0 with input as given(from(image), places)
	}
}

test_image_from_elsewhere_fails if {
	every image in [
		"quay.io/app:1", "registry.example.evil.test/app", "registry.example:5000/app", "registry.examples/app", "someone/app",
		"docker.io/someone/app", "ghcr.io/shop/toolsmith", "ghcr.io/shop", "evil.test/registry.example/app",
		"localhost/library/nginx", "",
	] {
		count(deny) == 1 with input as given(from(image), places)
	}
}

test_message_names_image_and_container if {
	deny == {"Image quay.io/app:1 of container \"app\" is from no approved registry"} with input as given(from("quay.io/app:1"), places)
}

test_image_that_is_absent_or_odd_fails if {
	every container in [{"name": "app"}, {"name": "app", "image": null}, {"name": "app", "image": 7}, {"name": "app", "image": ["registry.example/a"]}, "text"] {
		count(deny) == 1 with input as given({"containers": [container]}, places)
	}
}

test_image_volumes_are_pulled_too if {
	volumes := [{"name": "models", "image": {"reference": "quay.io/models:1"}}, {"name": "data", "image": null}, {"name": "tmp", "emptyDir": {}}]
	deny == {"Image quay.io/models:1 of volume \"models\" is from no approved registry"} with input as given({"containers": [good], "volumes": volumes}, places)
}

test_without_a_list_nothing_is_approved_and_the_message_says_so if {
	deny == {"Image nginx of container \"app\" is from no approved registry: the parameter repos is empty, set it in fleet.yaml"} with input as given(from("nginx"), {"repos": []})
}

test_empty_place_approves_nothing if {
	count(deny) == 1 with input as given(from("nginx"), {"repos": ["", "/"]})
}

test_containers_of_every_list_are_judged if {
	every list in ["containers", "initContainers", "ephemeralContainers"] {
		count(deny) == 1 with input as given({list: [bad, good]}, places)
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
