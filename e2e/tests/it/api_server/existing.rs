//! A cluster that is there already, as envtest's third way: `USE_EXISTING_CLUSTER=true`, and `KUBECONFIG` of one that may be
//! thrown away. `WRIT_E2E_ADDRESS` is where its API server reaches this machine, by default 127.0.0.1. One test at a time
//! uses it and takes away what it left.

use super::{ApiServer, binary};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client};
use serde_json::Value;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Who acts for the tests.
const ACCOUNT: [&str; 3] = ["-n=kube-system", "serviceaccount", "writ-e2e"];
/// What tests leave: kind, names, and where.
const LEFT: &[(&str, &str)] = &[
    ("validatingwebhookconfiguration", "writ allow-all writ-by-address"),
    ("clusterrolebinding", "writ-agent writ-agent-reports"),
    ("clusterrole", "writ-agent writ-agent-reports"),
    ("namespace", "writ-system writ-hub shop bank other out plain judged"),
    ("node", "n1"),
    ("pod", "evil good sloppy"),
    ("configmap", "old fine large new last surprise"),
    ("secret", "magtape-slack"),
    ("role", "writ-slack"),
    ("rolebinding", "writ-slack"),
    ("replicaset", "web"),
];

/// The cluster, while one test has it.
pub(super) struct Existing {
    _turn: File,
}

impl Drop for Existing {
    fn drop(&mut self) {
        for (kind, names) in LEFT {
            let _ =
                run(&[&["delete", "--ignore-not-found", "--wait=true", "--timeout=60s", kind][..], &words(names)]
                    .concat());
        }
        let _ = run(&["label", "namespace", "default", "writ.dev/slack-", "writ.dev/break-glass-"]);
    }
}

/// Whether the tests are to use a cluster that is there.
pub(super) fn is_wanted() -> bool {
    std::env::var_os("USE_EXISTING_CLUSTER").is_some_and(|word| word.eq_ignore_ascii_case("true"))
}

/// Connects as an account of its own that may do everything.
pub(super) fn connect() -> ApiServer {
    let turn = File::create(std::env::temp_dir().join("writ-e2e-existing-cluster")).unwrap();
    turn.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let view =
        run(&["config", "view", "--raw", "--minify", "--flatten", "-o=json"]).expect("KUBECONFIG names a cluster");
    let view: Value = serde_json::from_str(&view).unwrap();
    let cluster = &view["clusters"][0]["cluster"];
    let text = |key: &str| cluster[key].as_str().expect("the kubeconfig names server and authority").to_owned();
    let authority = folder.path().join("authority.crt");
    let pem = STANDARD.decode(text("certificate-authority-data")).unwrap();
    std::fs::write(&authority, &pem).unwrap();
    let _there_already = run(&[&["create"][..], &ACCOUNT].concat());
    let all = ["create", "clusterrolebinding", "writ-e2e", "--clusterrole=cluster-admin"];
    let _there_already = run(&[&all[..], &["--serviceaccount=kube-system:writ-e2e"]].concat());
    let token =
        run(&["create", "token", "writ-e2e", "-n=kube-system", "--duration=2h"]).expect("a token for the tests");
    let client = Client::builder().tls_certs_only([Certificate::from_pem(&pem).unwrap()]).build().unwrap();
    let (token, url) = (token.trim().to_owned(), text("server"));
    let existing = Some(Existing { _turn: turn });
    ApiServer { folder, processes: vec![], url, client, token, authority, command: None, existing }
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// What `kubectl` writes, as the kubeconfig has it; nothing when it fails.
fn run(arguments: &[&str]) -> Option<String> {
    let kubectl = binary("kubectl", "TEST_ASSET_KUBECTL").unwrap_or_else(|| PathBuf::from("kubectl"));
    let ran = Command::new(kubectl).args(arguments).stdin(Stdio::null()).output().ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}
