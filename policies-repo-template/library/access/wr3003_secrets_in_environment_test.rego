package writ.secrets_in_environment_test

import data.writ.secrets_in_environment.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
}

good := {"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "x"}}}], "envFrom": [{"configMapRef": {"name": "x"}}]}

bad := {"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]}

test_variable_is_named if {
	deny == {"Variable PASSWORD of container \"app\" is from a Secret"} with input as pod({"containers": [bad]})
}

test_whole_secrets_fail_too if {
	container := {"name": "app", "envFrom": [{"configMapRef": {}}, {"secretRef": {"name": "db"}, "prefix": "DB_"}]}
	deny == {"envFrom[1] of container \"app\" is a Secret"} with input as pod({"containers": [container]})
}

test_empty_fields_pass if {
	every container in [{"env": null}, {"env": []}, {"envFrom": null}, {"env": [{"name": "A", "valueFrom": {"secretKeyRef": null}}]}, {"envFrom": [{"secretRef": null}]}] {
		count(deny) == 0 with input as pod({"containers": [container]})
	}
}

test_secret_volumes_pass if {
	count(deny) == 0 with input as pod({"containers": [{"name": "app"}], "volumes": [{"name": "db", "secret": {"secretName": "db"}}]})
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
