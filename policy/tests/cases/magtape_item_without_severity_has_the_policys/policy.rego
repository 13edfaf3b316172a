package kubernetes.admission.short_names

policy_metadata = {
	"name": "policy-short-names",
	"severity": "HIGH",
	"errcode": "MT9001",
	"targets": {"Deployment"},
}

matches {
	policy_metadata.targets[input.request.kind.kind]
}

deny[info] {
	info := {"msg": "no severity of its own", "severity": "SEVERE"}
}

deny[info] {
	info := {"msg": "a low one", "severity": "LOW"}
}
