package writ.volume_types_test

import data.writ.volume_types.deny

pod(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "CREATE", "object": {"spec": spec}},
	"parameters": defaults,
}

updated(spec, before) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": before}},
	"parameters": defaults,
}

deleted(spec) := {
	"review": {"kind": {"kind": "Pod"}, "operation": "DELETE", "object": {"spec": spec}, "oldObject": {"spec": spec}},
	"parameters": defaults,
}

defaults := {"types": ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"]}

given(spec, parameters) := object.union(pod(spec), {"parameters": parameters})

of(type) := {"volumes": [{"name": "data", type: {}}]}

test_types_of_the_standard_pass if {
	every type in ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"] {
		count(deny) == 0 with input as pod(of(type))
	}
}

test_all_other_types_fail if {
	every type in [
		"hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume", "cinder",
		"cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "portworxVolume", "scaleIO", "storageos",
		"photonPersistentDisk", "tomorrow",
	] {
		deny == {sprintf("Volume \"data\" is of type %s", [type])} with input as pod(of(type))
	}
}

test_field_that_is_null_is_no_source if {
	count(deny) == 0 with input as pod({"volumes": [{"name": "data", "hostPath": null, "secret": {}}]})
}

test_volume_without_source_is_an_empty_dir if {
	count(deny) == 0 with input as pod({"volumes": [{"name": "data"}]})
	count(deny) == 1 with input as given({"volumes": [{"name": "data"}]}, {"types": ["secret"]})
}

test_types_are_a_parameter if {
	count(deny) == 0 with input as given(of("nfs"), {"types": ["nfs"]})
}

test_update_that_changes_the_pod_is_judged if {
	count(deny) == 1 with input as updated(of("nfs"), {"containers": []})
}

test_update_that_leaves_the_pod_as_it_is_passes if {
	count(deny) == 0 with input as updated(of("nfs"), of("nfs"))
}

test_deletion_is_not_judged if {
	count(deny) == 0 with input as deleted(of("nfs"))
}

test_nothing_to_judge_passes if {
	every spec in [{}, {"containers": []}, {"containers": null}, {"containers": "text"}, "text", null] {
		count(deny) == 0 with input as pod(spec)
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
}
