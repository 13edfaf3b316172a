//! `kubectl` against the API server, and kubeconfigs: the administrator's, and that of a service account, by which an
//! agent on this machine has exactly the rights that its manifests give it.

use super::{ApiServer, binary};
use reqwest::StatusCode;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How a run of `kubectl` ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl ApiServer {
    /// Runs `kubectl` as the administrator with this on its standard input.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Ran {
        let kubectl = binary("kubectl", "TEST_ASSET_KUBECTL").expect("kubectl is beside the API server");
        let mut command = Command::new(kubectl);
        command.arg("--kubeconfig").arg(self.kubeconfig("administrator", &self.token)).args(arguments);
        command.env("HOME", self.folder.path()).env_remove("KUBECONFIG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { success: ended.status.success(), output: text(ended.stdout), errors: text(ended.stderr) }
    }

    /// The same, and it must succeed; what it wrote.
    pub(crate) fn kubectl_ok(&self, arguments: &[&str], input: &str) -> String {
        let ran = self.kubectl(arguments, input);
        assert!(ran.success, "kubectl {arguments:?}: {}{}", ran.output, ran.errors);
        ran.output
    }

    /// A kubeconfig of a service account that exists, with a token of an hour.
    pub(crate) async fn kubeconfig_of(&self, namespace: &str, account: &str) -> PathBuf {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600, "audiences": ["https://kubernetes.default.svc"]}});
        let (status, answer) = self.create(&path, request.to_string()).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        self.kubeconfig(&format!("{namespace}-{account}"), answer["status"]["token"].as_str().unwrap())
    }

    /// A kubeconfig with this token.
    fn kubeconfig(&self, name: &str, token: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.kubeconfig"));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": self.url, "certificate-authority": self.authority}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": name}}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }
}
