//! MagTape's own functional list, by `kubectl` on a real API server: what its users had refused is refused, the rest goes
//! through. `WRIT_MAGTAPE` names a clone of it.

use crate::cluster::{Cluster, pod};
use serde_json::Value;
use std::path::PathBuf;

/// The list's PodDisruptionBudgets are of a version that API servers no longer have.
const VERSIONS: (&str, &str) = ("policy/v1beta1", "policy/v1");
/// MagTape's webhook never asks about Services, so its list expects all of them to go through.
const FLEET: &str = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\ndisable: [MT1006, MT2002]\n";

#[tokio::test]
async fn functional_list_ends_as_it_wants() {
    let Some(clone) = std::env::var_os("WRIT_MAGTAPE").map(PathBuf::from) else {
        return writ_e2e::skipped("functional_list_ends_as_it_wants", "no clone of MagTape (set WRIT_MAGTAPE)");
    };
    let Some(mut cluster) = Cluster::start("functional_list_ends_as_it_wants").await else { return };
    let fleet = cluster.world.push("fleet.yaml", FLEET, "MagTape's resource list");
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    let enforces = |cluster: &Value| cluster["active"]["revision"] == fleet.as_str() && cluster["state"] == "enforcing";
    cluster.until_hub_says("the list's policies are enforced", enforces).await;
    cluster.until_refused("/api/v1/namespaces/default/pods", &pod("evil", true)).await;

    let list = std::fs::read_to_string(clone.join("testing/functional-tests.yaml")).unwrap();
    let list: Value = serde_saphyr::from_str(&list).unwrap();
    let (mut others, mut all) = (vec![], 0);
    for group in list["resources"].as_array().unwrap() {
        let (kind, desired) = (group["kind"].as_str().unwrap(), group["desired"].as_str().unwrap());
        for manifest in group["manifests"].as_array().unwrap() {
            let file = manifest["file"].as_str().unwrap();
            let text = std::fs::read_to_string(clone.join("testing").join(kind).join(file)).unwrap();
            let create = ["create", "--dry-run=server", "-n", "default", "-f", "-"];
            let ran = cluster.server.kubectl(&create, &text.replace(VERSIONS.0, VERSIONS.1));
            let ours = ran.errors.contains("validate.writ.dev");
            assert!(ran.success || ours, "{file}: {}", ran.errors);
            all += 1;
            if ran.success != (desired == "pass") {
                others.push(format!("{kind}/{file}: {desired} wanted: {}{}", ran.output, ran.errors));
            }
        }
    }
    assert!(others.is_empty() && all > 0, "{} of {all}:\n{}", others.len(), others.join("\n"));
}
