package kubernetes.admission.short_names

policy_metadata = {
	"name": "policy-short-names",
	"severity": "HIGH",
	"errcode": "MT9001",
	"targets": {"StatefulSet"},
}

matches {
	policy_metadata.targets[input.request.kind.kind]
} else = true {
	input.request.kind.kind == "Deployment"
}

deny[info] {
	info := {"msg": "judged", "severity": "HIGH"}
}
