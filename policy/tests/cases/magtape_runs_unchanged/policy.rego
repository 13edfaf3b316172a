package kubernetes.admission.policy_names

policy_metadata = {
    "name": "policy-names",
    "severity": "MED",
    "errcode": "MT9001",
    "targets": {"Deployment", "Pod"},
}

kind = input.request.kind.kind

matches {
    policy_metadata.targets[kind]
}

deny[info] {
    name := input.request.object.metadata.name
    count(name) > 3
    msg := sprintf("[FAIL] %v - Name %q is long (%v)", [policy_metadata.severity, name, policy_metadata.errcode])
    info := {"name": policy_metadata.name, "severity": policy_metadata.severity, "errcode": policy_metadata.errcode, "msg": msg}
}
