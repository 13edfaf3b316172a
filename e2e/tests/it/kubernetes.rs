//! Against a real API server, where one can be had. Finds it as envtest does: `KUBEBUILDER_ASSETS` or `TEST_ASSET_*`
//! name the binaries. The agent's own tests script the API server's side of the conversation.

use std::path::{Path, PathBuf};

fn binary(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").unwrap_or_else(|| "/usr/local/kubebuilder/bin".into());
    named.into_iter().chain([Path::new(&folder).join(name)]).find(|path| path.exists())
}

#[test]
fn an_api_server_calls_the_agent() {
    let found = (binary("kube-apiserver", "TEST_ASSET_KUBE_APISERVER"), binary("etcd", "TEST_ASSET_ETCD"));
    if found.0.is_none() || found.1.is_none() {
        return writ_e2e::skipped("kubernetes", "no kube-apiserver and etcd (KUBEBUILDER_ASSETS)");
    }
}
