//! The metrics of both processes, as Prometheus' own tool reads them.

use crate::policies::config_map;
use crate::world::World;
use reqwest::{Client, header};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

#[tokio::test]
async fn metrics_pass_promtool() {
    if Command::new("promtool").arg("--version").output().is_err() {
        return writ_e2e::skipped("metrics", "no promtool on this machine (package prometheus)");
    }
    let world = World::start(&[("dev", json!({"env": "dev"}))]).await;
    world.agents[0].review(&config_map("calm", "hello")).await;
    for url in [format!("{}/metrics", world.hub.url), format!("{}/metrics", world.agents[0].metrics)] {
        let request = Client::new().get(&url).header(header::ACCEPT, "text/plain;version=0.0.4");
        let text = request.send().await.unwrap().text().await.unwrap();
        assert!(text.contains("writ_"), "{url}: {text}");
        check(&url, &text);
    }
}

fn check(url: &str, text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{url}:\n{}\n{text}", String::from_utf8_lossy(&said));
}
