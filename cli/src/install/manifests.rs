//! Objects of a manifest, and the few ways in which they are changed. Knows YAML and no object in particular.

use anyhow::Context;
use serde_json::{Value, json};
use std::path::Path;

/// The largest file that is put into a Secret.
const MAX_FILE_BYTES: u64 = 512 << 10;

/// In the order in which they are applied.
#[derive(Debug, Clone)]
pub(super) struct Manifests(pub(super) Vec<Value>);

impl Manifests {
    /// The objects of a file of this program, which is right or was never released.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(Self(serde_saphyr::from_multiple(text).context("reading the manifests")?))
    }

    /// The object of this kind.
    pub(super) fn find(&mut self, kind: &str) -> anyhow::Result<&mut Value> {
        self.0.iter_mut().find(|object| object["kind"] == kind).with_context(|| format!("the manifests have no {kind}"))
    }

    /// The pod's only container.
    pub(super) fn container(&mut self, kind: &str) -> anyhow::Result<&mut Value> {
        Ok(&mut self.find(kind)?["spec"]["template"]["spec"]["containers"][0])
    }

    /// Sets a flag of the pod's program, in the place of one that is there.
    pub(super) fn set_flag(&mut self, kind: &str, flag: &str, value: &str) -> anyhow::Result<()> {
        let args = self.container(kind)?["args"].as_array_mut().context("the container has no args")?;
        args.retain(|arg| arg.as_str().is_none_or(|arg| arg.split('=').next() != Some(flag)));
        args.push(format!("{flag}={value}").into());
        Ok(())
    }

    /// After the Namespace, in which most of them are.
    pub(super) fn insert(&mut self, object: Value) {
        let at = self.0.iter().position(|object| object["kind"] == "Namespace").map_or(0, |at| at + 1);
        self.0.insert(at, object);
    }

    /// Moves everything that is in one namespace, or names it, to another.
    pub(super) fn move_to(&mut self, from: &str, to: &str) {
        for object in &mut self.0 {
            rename(object, from, to);
            if object["kind"] == "Namespace" && object["metadata"]["name"] == from {
                object["metadata"]["name"] = to.into();
            }
        }
    }

    /// One document each.
    pub(super) fn yaml(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for object in &self.0 {
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&serde_saphyr::to_string(object).context("writing the manifests")?);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        Ok(text)
    }

    /// Only what names them, in the order in which they go: these first, the others from the last to the first.
    pub(super) fn named(&self, first: &[Value]) -> Self {
        let name = |object: &Value| {
            let mut metadata = json!({"name": object["metadata"]["name"]});
            if let Some(namespace) = object["metadata"].get("namespace") {
                metadata["namespace"] = namespace.clone();
            }
            json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata})
        };
        let mut all: Vec<Value> = first.iter().map(name).collect();
        for object in self.0.iter().rev().map(name) {
            if !all.contains(&object) {
                all.push(object);
            }
        }
        Self(all)
    }
}

/// The namespace stands in a field of that name, at the end of a flag, or as a part of a Service's name.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if *text == format!("--namespace={from}") => *text = format!("--namespace={to}"),
        Value::String(text) => *text = text.replace(&format!(".{from}.svc"), &format!(".{to}.svc")),
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, from, to)),
        Value::Object(map) => {
            for (key, value) in map {
                if key == "namespace" && value == from {
                    *value = to.into();
                } else {
                    rename(value, from, to);
                }
            }
        }
        _ => {}
    }
}

/// The text of a file that an operator named.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let name = || format!("reading {}", path.display());
    let bytes = std::fs::metadata(path).with_context(name)?.len();
    anyhow::ensure!(bytes <= MAX_FILE_BYTES, "{} has {bytes} bytes, and {MAX_FILE_BYTES} is the most", path.display());
    std::fs::read_to_string(path).with_context(name)
}

/// A Secret or a ConfigMap.
pub(super) fn object(kind: &str, name: &str, namespace: &str, field: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, field: data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_is_replaced_and_the_namespace_follows_everywhere() {
        let text = "kind: Deployment\nmetadata: {namespace: a}\nspec: {template: {spec: {containers: [{args: \
                    [--x=1, --namespace=a, --data=/a]}]}}}\n---\nkind: Certificate\nspec: {dnsNames: [w.a.svc, a.example]}";
        let mut manifests = Manifests::parse(text).unwrap();
        manifests.set_flag("Deployment", "--x", "2").unwrap();
        manifests.move_to("a", "b");
        let args = &manifests.0[0]["spec"]["template"]["spec"]["containers"][0]["args"];
        assert_eq!(*args, json!(["--namespace=b", "--data=/a", "--x=2"]));
        assert_eq!(manifests.0[1]["spec"]["dnsNames"], json!(["w.b.svc", "a.example"]));
        let again = Manifests::parse(&manifests.yaml().unwrap()).unwrap();
        assert_eq!(again.0, manifests.0, "what is written is read as the same");
    }
}
