//! The static agent where there is nothing else, as in its image: no shell, no library, no `/etc`. `WRIT_STATIC_AGENT` names
//! the binary, built as `deploy/Dockerfile` builds it.

use crate::process::Process;
use crate::wait::eventually;
use crate::world::World;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

const NAME: &str = "root";

#[tokio::test]
async fn static_agent_runs_in_an_empty_root() {
    let Some(binary) = std::env::var_os("WRIT_STATIC_AGENT").map(PathBuf::from) else {
        return writ_e2e::skipped("static_agent_runs_in_an_empty_root", "no static agent (set WRIT_STATIC_AGENT)");
    };
    let may = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).status();
    if !may.is_ok_and(|ended| ended.success()) {
        return writ_e2e::skipped("static_agent_runs_in_an_empty_root", "no user namespaces, so no root of its own");
    }
    let world = World::start(&[]).await;
    let root = world.folder().join(NAME);
    std::fs::create_dir(&root).unwrap();
    std::fs::copy(binary, root.join("writ-agent")).unwrap();
    std::fs::write(root.join("token"), world.token("empty", &json!({})).await).unwrap();
    let mut arguments = vec!["--data=/data", "--token-file=/token", "--standalone", "--hub", &world.hub.url];
    arguments.extend(["--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--listen-file=/listen.json"]);
    let mut agent = Process::start_in_root("/writ-agent", world.folder(), NAME, &arguments);
    let announced: Value = serde_json::from_str(&agent.announced(&root.join("listen.json")).await).unwrap();
    let address = |name: &str| announced[name].as_str().unwrap().to_owned();
    eventually(&format!("it enforces:\n{}", agent.log()), async || {
        let ready = reqwest::get(format!("{}/readyz", address("metrics"))).await.ok()?;
        ready.status().is_success().then_some(())
    })
    .await;
    let authority = std::fs::read(root.join(address("ca").trim_start_matches('/'))).unwrap();
    let client = Client::builder().tls_certs_only([Certificate::from_pem(&authority).unwrap()]).build().unwrap();
    let review = crate::world::review_of(&crate::cluster::pod("evil", true));
    let answer = client.post(format!("{}/validate", address("webhook"))).json(&review).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["response"]["allowed"], false, "{answer}");
    assert!(agent.stop(), "it ends well:\n{}", agent.log());
}
