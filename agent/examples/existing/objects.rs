//! The objects that are looked at, and the policies that look.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use writ_policy::SourceFile;

/// Namespaces that objects are spread over.
const NAMESPACES: usize = 50;
/// A review of a Pod that most of gatekeeper-library objects to.
const FAILING: &str = include_str!("../../../policy/benches/failing_pod.json");

fn metadata(kind: &str, number: usize) -> Value {
    let name = format!("{kind}-{number:05}");
    // As large as the API server's own notes about who wrote which field.
    let fields = json!({"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:containers": {
        "k:{\"name\":\"main\"}": {"f:image": {}, "f:ports": {}, "f:resources": {"f:limits": {}, "f:requests": {}}}}}});
    json!({
        "name": name, "namespace": format!("team-{:02}", number % NAMESPACES),
        "uid": format!("00000000-0000-4000-8000-{number:012}"), "resourceVersion": "1000",
        "creationTimestamp": "2026-11-28T12:00:00Z", "labels": {"app": name},
        "managedFields": [{"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "time": "2026-11-28T12:00:00Z", "fieldsV1": fields}]
    })
}

/// Pods of two containers that nobody controls: each is a workload of its own, the worst case.
pub fn pods(number: usize) -> Vec<Value> {
    let container = |name: &str| {
        json!({"name": name, "image": format!("registry.example/{name}:1.2"), "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=0.0.0.0:8080", "--log=info"], "ports": [{"containerPort": 8080, "name": "http"}],
            "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]})
    };
    let spec = json!({"serviceAccountName": "default", "nodeName": "node-1", "restartPolicy": "Always",
        "containers": [container("main"), container("side")], "volumes": [{"name": "tmp", "emptyDir": {}}],
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]});
    let status = json!({"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "image": "registry.example/main:1.2"}]});
    let pod = |number| json!({"metadata": metadata("pod", number), "spec": spec, "status": status});
    (0..number).map(pod).collect()
}

/// Pods that most of gatekeeper-library objects to.
pub fn failing_pods(number: usize) -> Vec<Value> {
    let review: Value = serde_json::from_str(FAILING).unwrap();
    let pod = |number| {
        let mut pod = review["request"]["object"].clone();
        let (own, worst) = (metadata("pod", number), &mut pod["metadata"]);
        for field in ["name", "uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            worst[field] = own[field].clone();
        }
        pod
    };
    (0..number).map(pod).collect()
}

/// Services as they are everywhere.
pub fn services(number: usize) -> Vec<Value> {
    let service = |number| {
        let metadata = metadata("service", number);
        let spec = json!({"type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": metadata["labels"],
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]});
        json!({"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}})
    };
    (0..number).map(service).collect()
}

/// A policy that looks at every replicated Service.
pub fn reads_services() -> SourceFile {
    let text = "# METADATA\n# title: One service of a name\n# custom: {code: XX1, severity: LOW, kinds: [networking.k8s.io/Ingress]}\n\
                package writ.one_service\n\ndeny contains \"it is there\" if {\n    some namespace, name\n    \
                data.kubernetes.services[namespace][name]\n    name == input.review.object.metadata.name\n}\n";
    SourceFile::new("policies/one_service.rego", text.as_bytes()).unwrap()
}

/// gatekeeper-library's templates, each with the first constraint of its samples.
pub fn library() -> Option<Vec<SourceFile>> {
    let folder = PathBuf::from(std::env::var_os("WRIT_GATEKEEPER_LIBRARY")?);
    let templates = entries(&folder).into_iter().flat_map(|topic| entries(&topic));
    let mut files = vec![];
    for (number, template) in templates.enumerate() {
        let constraints = entries(&template.join("samples")).into_iter().map(|sample| sample.join("constraint.yaml"));
        let Some(constraint) = constraints.into_iter().find(|path| path.is_file()) else { continue };
        let Ok(text) = std::fs::read(template.join("template.yaml")) else { continue };
        files.push(SourceFile::new(&format!("{number:02}/template.yaml"), &text).unwrap());
        let text = std::fs::read(constraint).unwrap();
        files.push(SourceFile::new(&format!("{number:02}/constraint.yaml"), &text).unwrap());
    }
    (!files.is_empty()).then_some(files)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
    paths.sort();
    paths
}
