package kubernetes.admission

policy_metadata = {}

deny[info] { info := {} }
