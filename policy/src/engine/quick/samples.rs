//! Inputs of every dialect's form, on which a plan must agree with the interpreter before it is asked anything.

use super::Value;

/// Objects as they come: whole, with fields of the wrong type, and empty.
const OBJECTS: [(&str, &str, &str); 6] = [
    (
        "",
        "Pod",
        r#"{"metadata":{"name":"a","namespace":"n","labels":{"app":"a"},"annotations":{"k":"v"}},"spec":{"hostNetwork":true,"hostPID":true,"volumes":[{"name":"v","hostPath":{"path":"/"}},{"name":"e","emptyDir":{"sizeLimit":"1Gi"}}],"initContainers":[{"name":"i","image":"i:latest"}],"containers":[{"name":"c","image":"docker.io/c:1","ports":[{"containerPort":80,"hostPort":80}],"securityContext":{"privileged":true,"runAsUser":0,"capabilities":{"add":["NET_ADMIN"]}},"resources":{"limits":{"cpu":"2","memory":"4Gi"},"requests":{"cpu":"100m","memory":1000}}},{"name":"d","image":"d@sha256:0"}]}}"#,
    ),
    (
        "apps",
        "Deployment",
        r#"{"metadata":{"name":"a"},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a"}},"spec":{"securityContext":{"runAsNonRoot":false},"containers":[{"name":"c","image":"c","livenessProbe":{"httpGet":{"port":80}},"readinessProbe":{}}]}}}}"#,
    ),
    (
        "",
        "Service",
        r#"{"metadata":{"name":"s","annotations":{}},"spec":{"type":"NodePort","externalIPs":["1.1.1.1"],"ports":[{"name":"http","port":443,"nodePort":30000}]}}"#,
    ),
    (
        "networking.k8s.io",
        "Ingress",
        r#"{"metadata":{"name":"i","namespace":"n"},"spec":{"tls":[],"rules":[{"host":"*.a.example"},{"host":""},{}]}}"#,
    ),
    ("policy", "PodDisruptionBudget", r#"{"metadata":{"name":"p"},"spec":{"minAvailable":"100%","maxUnavailable":0}}"#),
    (
        "",
        "Pod",
        r#"{"metadata":null,"spec":{"containers":[{"name":1,"image":null,"resources":"none","securityContext":[],"ports":{}}],"volumes":"v"}}"#,
    ),
];

/// The objects as Writ's and Gatekeeper's `review` and as MagTape's `request` at once.
pub(super) fn inputs() -> Vec<Value> {
    OBJECTS.iter().map(|(group, kind, object)| input(group, kind, object)).collect()
}

fn input(group: &str, kind: &str, object: &str) -> Value {
    let request = format!(
        r#"{{"uid":"u","operation":"CREATE","name":"a","namespace":"n","kind":{{"group":"{group}","version":"v1","kind":"{kind}"}},"userInfo":{{"username":"u","groups":["g"]}},"object":{object}}}"#
    );
    let input = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","parameters":{{}},"review":{request},"request":{request}}}"#
    );
    Value::from_json_str(&input).expect("the samples are JSON")
}

#[cfg(test)]
mod tests {
    #[test]
    fn samples_are_json() {
        assert_eq!(super::inputs().len(), super::OBJECTS.len());
    }
}
