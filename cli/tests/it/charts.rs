//! The Helm charts against the plain manifests, which they are made of: the templates by the replacements below, and what
//! they render to by comparison with `writ install`. `WRIT_BLESS=1` writes the templates anew.

use crate::support::writ;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const FLAGS: &str = "            - --failure-policy={{ .Values.failurePolicy }}
            - --select-namespaces={{ .Values.namespaces.select }}
            {{- range .Values.namespaces.exclude }}
            - --exclude-namespace={{ . }}
            {{- end }}
            {{- if .Values.hub.ca }}
            - --hub-ca=/run/writ/hub/ca.pem
            {{- end }}
            {{- if .Values.certManager.enabled }}
            - --certificate=secret
            - --inject-ca-from={{ .Release.Namespace }}/writ-agent
            {{- end }}
            {{- if .Values.policyReports.enabled }}
            - --policy-reports={{ .Values.policyReports.format }}
            {{- end }}
            {{- range .Values.extraFlags }}
            - {{ . | quote }}
            {{- end }}
";
const MOUNT: &str = "          volumeMounts:
            {{- if .Values.hub.ca }}
            - name: hub
              mountPath: /run/writ/hub
              readOnly: true
            {{- end }}
";
const VOLUME: &str = "      volumes:
        {{- if .Values.hub.ca }}
        - name: hub
          configMap:
            name: writ-agent
            items:
              - key: ca.pem
                path: ca.pem
        {{- end }}
";
const RESOURCES: &str = "          resources: {{- toYaml .Values.resources | nindent 12 }}\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text between these two, with the first and without the second.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from}"));
    let end = start + text[start..].find(to).unwrap_or_else(|| panic!("no {to} after {from}"));
    &text[start..end]
}

/// A manifest without what Helm does itself: the namespace, and the words for who applies by hand.
fn common(manifest: &str, namespace: &str) -> String {
    let objects = manifest.split_once("\n---\n").unwrap().1;
    let resources = between(objects, "          resources:\n", "          securityContext:").to_owned();
    objects
        .replace(&resources, RESOURCES)
        .replace(&format!("namespace: {namespace}\n"), "namespace: {{ .Release.Namespace }}\n")
}

fn only_if(text: &str, kind: &str, condition: &str) -> String {
    let documents = text.split("---\n").map(|document| {
        let is_it = document.contains(&format!("\nkind: {kind}\n"));
        if is_it { format!("{{{{- if {condition} }}}}\n{document}{{{{- end }}}}\n") } else { document.to_owned() }
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn agent() -> String {
    let text = common(&std::fs::read_to_string(root().join("deploy/agent.yaml")).unwrap(), "writ-system");
    let text = text
        .replace("--namespace=writ-system", "--namespace={{ .Release.Namespace }}")
        .replace("image: registry.example/writ-agent:0.1.0", "image: {{ .Values.image | quote }}")
        .replace(
            "  replicas: 2\n",
            "  {{- if not .Values.autoscaling.enabled }}\n  replicas: {{ .Values.replicas }}\n  {{- end }}\n",
        )
        .replace("            - --failure-policy=ignore\n", FLAGS)
        .replace("          volumeMounts:\n", MOUNT)
        .replace("      volumes:\n", VOLUME);
    let text = only_if(&text, "PodDisruptionBudget", "gt (int .Values.replicas) 1");
    only_if(&text, "NetworkPolicy", ".Values.networkPolicy.enabled")
}

fn agent_options() -> String {
    let text = std::fs::read_to_string(root().join("deploy/agent-options.yaml")).unwrap();
    let text = text.split_once('\n').unwrap().1;
    let text = text
        .replace("writ-system", "{{ .Release.Namespace }}")
        .replace("minReplicas: 2", "minReplicas: {{ .Values.replicas }}")
        .replace("maxReplicas: 6", "maxReplicas: {{ .Values.autoscaling.maxReplicas }}");
    let kinds = [
        ("HorizontalPodAutoscaler", "autoscaling"),
        ("ServiceMonitor", "serviceMonitor"),
        ("Issuer", "certManager"),
        ("Certificate", "certManager"),
        ("ClusterRole", "policyReports"),
        ("ClusterRoleBinding", "policyReports"),
    ];
    kinds.iter().fold(text, |text, (kind, value)| only_if(&text, kind, &format!(".Values.{value}.enabled")))
}

fn hub() -> String {
    let text = hub_text("deploy/hub.yaml");
    only_if(&text, "StatefulSet", "not .Values.database.secret")
}

fn hub_replicas() -> String {
    let text = hub_text("deploy/hub-replicas.yaml")
        .replace(
            "  replicas: 2\n",
            "  {{- if not .Values.autoscaling.enabled }}\n  replicas: {{ .Values.replicas }}\n  {{- end }}\n",
        )
        .replace("minReplicas: 2", "minReplicas: {{ .Values.replicas }}")
        .replace("maxReplicas: 4", "maxReplicas: {{ .Values.autoscaling.maxReplicas }}")
        .replace("name: writ-hub-database", "name: {{ .Values.database.secret }}")
        .replace("secretName: writ-hub-database", "secretName: {{ .Values.database.secret }}")
        .replace("secretName: writ-hub-key", "secretName: {{ .Values.database.keySecret }}");
    [
        ("Deployment", ".Values.database.secret"),
        ("PodDisruptionBudget", "and .Values.database.secret (gt (int .Values.replicas) 1)"),
        ("NetworkPolicy", "and .Values.database.secret .Values.networkPolicy.enabled"),
        ("HorizontalPodAutoscaler", "and .Values.database.secret .Values.autoscaling.enabled"),
    ]
    .iter()
    .fold(text, |text, (kind, condition)| only_if(&text, kind, condition))
}

fn hub_text(manifest: &str) -> String {
    let text = std::fs::read_to_string(root().join(manifest)).unwrap();
    // The words above the first object are for who applies it by hand.
    let text = text.replacen("apiVersion:", "---\napiVersion:", usize::from(manifest.contains("replicas")));
    common(&text, "writ-hub")
        .replace("image: registry.example/writ-hub:0.1.0", "image: {{ .Values.image | quote }}")
        .replace("--branch=main", "--branch={{ .Values.source.branch }}")
        .replace("            - --poll=30s\n", "            - --poll={{ .Values.source.poll }}\n            {{- range .Values.extraFlags }}\n            - {{ . | quote }}\n            {{- end }}\n")
        .replace("storage: 10Gi", "storage: {{ .Values.storage }}")
}

#[test]
fn templates_are_made_of_the_plain_manifests() {
    for (path, wanted) in [
        ("deploy/charts/writ-agent/templates/agent.yaml", agent()),
        ("deploy/charts/writ-agent/templates/options.yaml", agent_options()),
        ("deploy/charts/writ-hub/templates/hub.yaml", hub()),
        ("deploy/charts/writ-hub/templates/replicas.yaml", hub_replicas()),
    ] {
        let path = root().join(path);
        if std::env::var_os("WRIT_BLESS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{} is not what deploy/ says: run this test with WRIT_BLESS=1", path.display());
    }
}

/// What the chart renders to with these values; `None`, and noted as skipped, without the Python package.
fn render(chart: &str, namespace: &str, values: &[String]) -> Option<Value> {
    let python = std::env::var_os("WRIT_HELM_PYTHON").unwrap_or_else(|| "python3".into());
    let there = Command::new(&python).args(["-c", "import helm_python"]).output();
    if !there.is_ok_and(|there| there.status.success()) {
        skipped("charts", "no helm-python-sdk (cli/tests/helm/requirements.txt; set WRIT_HELM_PYTHON)");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root().join("cli/tests/helm/render.py")).arg(root().join("deploy/charts").join(chart)).arg(namespace);
    let ran = command.args(values).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(serde_json::from_slice(&ran.stdout).unwrap())
}

fn skipped(name: &str, why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {why}");
    if let Some(file) = std::env::var_os("WRIT_SKIPPED_FILE") {
        let note = std::fs::OpenOptions::new().create(true).append(true).open(file);
        let _ = note.and_then(|mut note| writeln!(note, "{name}: {why}"));
    }
}

/// Every object of a text or of several, by kind and name.
fn objects<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let documents = texts.flat_map(|text| serde_saphyr::from_multiple::<Value>(text).unwrap());
    let mut all: Vec<Value> =
        documents.filter(|object| object["kind"].is_string() && object["kind"] != "Namespace").collect();
    for object in &mut all {
        if let Some(args) = object.pointer_mut("/spec/template/spec/containers/0/args").and_then(Value::as_array_mut) {
            args.sort_by_key(ToString::to_string);
        }
    }
    all.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    all
}

fn rendered(chart: &str, namespace: &str, values: &[(&str, &str)]) -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let files = values.iter().map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let answer = render(chart, namespace, &files.collect::<Vec<_>>())?;
    assert_eq!((&answer["schema"], answer["lint"].as_array().unwrap().len()), (&Value::Null, 0), "{answer}");
    let texts = answer["manifests"].as_object().unwrap().iter().filter(|(path, _)| path.ends_with(".yaml"));
    Some(objects(texts.map(|(_, text)| text.as_str().unwrap())))
}

#[test]
fn agents_chart_renders_to_what_install_writes() {
    let folder = tempfile::tempdir().unwrap();
    let ca = "-----BEGIN CERTIFICATE-----\nx\n";
    std::fs::write(folder.path().join("ca.pem"), ca).unwrap();
    let ha = std::fs::read_to_string(root().join("deploy/charts/writ-agent/values-ha.yaml")).unwrap();
    let hub = "hub: {url: https://hub.example}\n";
    let more = "hub: {url: https://hub.example, ca: \"-----BEGIN CERTIFICATE-----\\nx\\n\"}\ncertManager: {enabled: true}\npolicyReports: {enabled: true}\n";
    let install = ["install", "agent", "--hub=https://hub.example", "--namespace=policy"];
    for (values, flags) in [
        (vec![("hub.yaml", hub)], vec![]),
        (
            vec![("ha.yaml", ha.as_str()), ("hub.yaml", hub)],
            vec!["--replicas=3", "--autoscale=9", "--failure-policy=fail", "--service-monitor"],
        ),
        (vec![("more.yaml", more)], vec!["--ca=ca.pem", "--cert-manager", "--policy-reports=openreports"]),
    ] {
        let Some(chart) = rendered("writ-agent", "policy", &values) else { return };
        let ran = writ(folder.path(), &[&install[..], &flags[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let plain = objects(std::iter::once(ran.stdout.as_str()));
        for (one, other) in chart.iter().zip(&plain) {
            assert_eq!(sorted(one), sorted(other), "{flags:?}");
        }
        assert_eq!(chart.len(), plain.len());
    }
}

/// Volumes and mounts in one order: which comes first says nothing.
fn sorted(object: &Value) -> Value {
    let mut object = object.clone();
    for path in ["/spec/template/spec/volumes", "/spec/template/spec/containers/0/volumeMounts"] {
        if let Some(list) = object.pointer_mut(path).and_then(Value::as_array_mut) {
            list.sort_by_key(|one| one["name"].to_string());
        }
    }
    object
}

#[test]
fn hubs_chart_renders_to_what_install_writes() {
    let values = "source: {url: https://git.example/policies.git}\n";
    let Some(chart) = rendered("writ-hub", "policy", &[("values.yaml", values)]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ran =
        writ(folder.path(), &["install", "hub", "--source=https://git.example/policies.git", "--namespace=policy"]);
    let mut plain = objects(std::iter::once(ran.stdout.as_str()));
    plain.retain(|object| object["kind"] != "Secret");
    assert_eq!(chart, plain);
}

#[test]
fn hubs_chart_for_several_renders_to_the_plain_manifest() {
    let values = "source: {url: https://git.example/policies.git}\n";
    let ha = std::fs::read_to_string(root().join("deploy/charts/writ-hub/values-ha.yaml")).unwrap();
    let Some(chart) = rendered("writ-hub", "writ-hub", &[("values.yaml", values), ("ha.yaml", &ha)]) else { return };
    let text = std::fs::read_to_string(root().join("deploy/hub-replicas.yaml")).unwrap();
    let mut plain = objects(std::iter::once(text.as_str()));
    // How many is the autoscaler's.
    let deployment = plain.iter_mut().find(|object| object["kind"] == "Deployment").unwrap();
    deployment["spec"].as_object_mut().unwrap().remove("replicas");
    assert!(chart.iter().all(|object| object["kind"] != "StatefulSet"));
    for wanted in &plain {
        let is_it = |object: &&Value| object["kind"] == wanted["kind"];
        assert_eq!(sorted(chart.iter().find(is_it).unwrap()), sorted(wanted));
    }
    assert_eq!(chart.len(), plain.len() + 3, "and ServiceAccount, Service and ConfigMap");
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        "hub: {url: hub}",
        "hub: {url: https://h.example}\nreplicas: 0",
        "hub: {url: https://h.example}\nfailurePolcy: fail",
    ] {
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, wrong).unwrap();
        let Some(answer) = render("writ-agent", "policy", &[path.to_str().unwrap().to_owned()]) else { return };
        assert!(answer["schema"].is_string(), "{wrong}: {answer}");
    }
}
