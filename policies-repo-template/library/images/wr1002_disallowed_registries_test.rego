package writ.disallowed_registries_test

import data.writ.disallowed_registries.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": {"repos": ["docker.io"]},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": {"repos": ["docker.io"]},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": {"repos": ["docker.io"]},
}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

good := {"name": "app", "image": "registry.example/app:1"}

bad := {"name": "app", "image": "nginx"}

test_image_from_a_disallowed_place_fails if {
	every image in ["nginx", "library/nginx", "someone/app:1", "docker.io/app", "Docker.IO/app", "index.docker.io/app", "docker.io/someone/app@sha256:00"] {
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "image": image}]})
	}
}

test_image_from_elsewhere_passes if {
	every image in ["registry.example/app", "docker.io.example/app", "localhost/app", "registry.example/docker.io/app", "localhost:5000/app"] {
		count(deny) == 0 with input as pod({"containers": [{"name": "app", "image": image}]})
	}
}

test_message_names_the_place if {
	deny == {"Image nginx of container \"app\" is from docker.io, which is not allowed"} with input as pod({"containers": [bad]})
}

test_places_below_a_registry_can_be_disallowed if {
	parameters := {"repos": ["registry.example/old"]}
	count(deny) == 1 with input as given({"containers": [{"name": "app", "image": "registry.example/old/app"}]}, parameters)
	count(deny) == 0 with input as given({"containers": [{"name": "app", "image": "registry.example/older/app"}]}, parameters)
}

test_image_volumes_are_pulled_too if {
	count(deny) == 1 with input as pod({"volumes": [{"name": "models", "image": {"reference": "someone/models:1"}}]})
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
