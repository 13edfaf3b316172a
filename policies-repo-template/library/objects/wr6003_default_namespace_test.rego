package writ.default_namespace_test

import data.writ.default_namespace.deny

parameters := {
	"namespaces": ["default"],
	"allowed": ["Service/kubernetes"],
}

reviewed(kind, namespace, name) := {
	"review": {"kind": {"kind": kind}, "operation": "CREATE", "namespace": namespace, "object": {"metadata": {"name": name}}},
	"parameters": parameters,
}

test_other_namespaces_pass if {
	every namespace in ["shop", "default-2", "", null] {
		count(deny) == 0 with input as reviewed("Pod", namespace, "web")
	}
	count(deny) == 0 with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}, "parameters": parameters}
}

test_default_namespace_fails_in_every_kind if {
	every kind in ["Pod", "Service", "PersistentVolumeClaim", "Deployment", "CronJob", "Ingress", "Role"] {
		deny == {sprintf("%s/web is in the namespace \"default\"", [kind])} with input as reviewed(kind, "default", "web")
	}
}

test_what_kubernetes_keeps_there_passes if {
	count(deny) == 0 with input as reviewed("Service", "default", "kubernetes")
	count(deny) == 1 with input as reviewed("Service", "default", "kubernetes-2")
	count(deny) == 1 with input as reviewed("Pod", "default", "kubernetes")
}

test_generated_names_are_shown if {
	review := {"kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "default", "object": {"metadata": {"generateName": "web-"}}}
	deny == {"Pod/web- is in the namespace \"default\""} with input as {"review": review, "parameters": parameters}
}

test_only_creation_is_judged if {
	review := reviewed("Pod", "default", "web").review
	every operation in ["UPDATE", "DELETE"] {
		count(deny) == 0 with input as {"review": object.union(review, {"operation": operation}), "parameters": parameters}
	}
	count(deny) == 1 with input as {"review": object.remove(review, ["operation"]), "parameters": parameters}
}

test_namespaces_are_a_parameter if {
	count(deny) == 1 with input as {"review": reviewed("Pod", "sandbox", "web").review, "parameters": object.union(parameters, {"namespaces": ["default", "sandbox"]})}
}
