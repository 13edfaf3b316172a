package writ.apparmor_test

import data.writ.apparmor.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
}

good := {"name": "app", "securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}

bad := {"name": "app", "securityContext": {"appArmorProfile": {"type": "Unconfined"}}}

annotated(value) := {"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {
	"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/app": value, "owner": "unconfined"}},
	"spec": {"containers": [{"name": "app"}]},
}}}

test_absent_profile_passes if {
	every context in [{}, null, {"appArmorProfile": null}, {"appArmorProfile": {}}, {"appArmorProfile": {"type": "Localhost", "localhostProfile": "shop"}}] {
		count(deny) == 0 with input as pod({"securityContext": context, "containers": [{"name": "app", "securityContext": context}]})
	}
}

test_other_types_fail_in_pod_and_container if {
	every type in ["Unconfined", "runtime/default", "", 7] {
		profile := {"appArmorProfile": {"type": type}}
		count(deny) == 1 with input as pod({"securityContext": profile, "containers": [good]})
		count(deny) == 1 with input as pod({"containers": [{"name": "app", "securityContext": profile}]})
	}
}

test_annotations_of_the_standard_pass if {
	every value in ["runtime/default", "localhost/shop", ""] {
		count(deny) == 0 with input as annotated(value)
	}
}

test_other_annotations_fail if {
	every value in ["unconfined", "runtime", "local", null, 7] {
		deny == {sprintf("Annotation container.apparmor.security.beta.kubernetes.io/app is %v", [value])} with input as annotated(value)
	}
}

test_annotations_that_are_none_pass if {
	every annotations in [null, {}, "text", []] {
		count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {"metadata": {"annotations": annotations}, "spec": {}}}}
	}
}

test_update_of_the_annotation_is_judged if {
	before := annotated("runtime/default").review.object
	review := object.union(annotated("unconfined").review, {"operation": "UPDATE", "oldObject": before})
	count(deny) == 1 with input as {"review": review}
	count(deny) == 0 with input as {"review": object.union(review, {"oldObject": review.object})}
	count(deny) == 0 with input as {"review": object.union(review, {"operation": "DELETE"})}
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
