//! What the demo tells the person at the terminal: where to look, what to try, with commands that work as printed.

use super::cluster::{CLUSTERS, typed};
use super::folder::{self, Folder};
use super::review;
use super::webhook::Webhook;
use crate::client::Hub;
use crate::terminal::{bold, dim};
use anyhow::Context;
use std::path::Path;
use url::Url;

/// The file that the printed `curl` sends.
const DENIED: &str = "privileged-pod.json";

/// A pod that every cluster of the demo denies.
const PRIVILEGED_POD: &str = r#"{
  "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "debug"},
  "spec": {"containers": [
    {"name": "shell", "image": "registry.example/tools/shell:1.0", "securityContext": {"privileged": true}}
  ]}
}"#;

/// Writes the review that the story's `curl` sends.
pub(crate) fn write_review(folder: &Folder) -> anyhow::Result<()> {
    let pod = serde_json::from_str(PRIVILEGED_POD).context("the bundled pod is not JSON")?;
    let review = review::create(&pod, "shop", "you@example.com");
    folder::write(&folder.review(DENIED), &serde_json::to_string_pretty(&review)?)
}

/// The whole story.
pub(crate) fn tell(folder: &Folder, hub: &Hub, webhooks: &[Webhook], revision: &str) -> String {
    let clusters: Vec<&str> = CLUSTERS.iter().map(|(name, _)| *name).collect();
    let policies = shown(&folder.policies());
    let writ = std::env::current_exe().map_or_else(|_| "writ".into(), |path| shown(&path));
    let option = hub_option(hub.address());
    let address = hub.address().as_str().trim_end_matches('/').to_owned();
    let dashboard = bold(&address);
    let prod = &webhooks[2];
    format!(
        "\n  Dashboard   {dashboard}\n  Clusters    {clusters} enforce {revision}\n  Logs        {logs}\n\n\
         A pod that prod denies:\n\n  {curl}\n\n\
         Three things to try:\n\n  \
         1  Edit a policy and commit: a missing liveness probe becomes serious.\n\n     \
         {sed} {policies}/policies/mt1001_liveness_probe.rego\n     \
         git -C {policies} commit -am 'A missing liveness probe is serious'\n\n  \
         2  Watch it enforced by every cluster.\n\n     \
         {writ} wait{option} --commit $(git -C {policies} rev-parse HEAD)\n     \
         {writ} status{option}\n\n  \
         3  Take it back: the fleet follows at once.\n\n     \
         git -C {policies} revert --no-edit HEAD\n\n{end}",
        clusters = clusters.join(", "),
        logs = shown(&folder.root().join("logs")),
        curl = curl(prod, &folder.review(DENIED)),
        sed = sed(),
        end = dim("Ctrl-C stops everything; started again it carries on."),
    )
}

fn curl(webhook: &Webhook, review: &Path) -> String {
    let (ca, review) = (shown(&webhook.listening.ca), shown(review));
    let url = webhook.listening.webhook.join("validate").map_or_else(|_| String::new(), Into::into);
    format!("curl --cacert {ca} -H 'content-type: application/json' -d @{review} {url}")
}

/// The editor of streams has two dialects.
fn sed() -> &'static str {
    if cfg!(target_os = "macos") {
        "sed -i '' 's/severity: LOW/severity: HIGH/'"
    } else {
        "sed -i 's/severity: LOW/severity: HIGH/'"
    }
}

/// Nothing when the default already names this hub.
fn hub_option(address: &Url) -> String {
    if address.as_str() == "http://127.0.0.1:8420/" {
        return String::new();
    }
    format!(" --hub {}", address.as_str().trim_end_matches('/'))
}

/// A path as typed, quoted when the shell would take it apart.
fn shown(path: &Path) -> String {
    let path = typed(path);
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if is_plain { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_shell() {
        assert_eq!(shown(Path::new("/a b/c")), "'/a b/c'");
        assert_eq!(shown(Path::new("/it's")), "'/it'\\''s'");
        assert_eq!(shown(Path::new("writ-demo/policies")), "writ-demo/policies");
    }
}
