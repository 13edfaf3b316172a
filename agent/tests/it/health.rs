//! Probes, metrics, and what the log does not say.

use crate::bundles::{label_policy, pod_review};
use crate::fake_hub::{CREDENTIAL, FakeHub, SECRET};
use crate::test_agent::TestAgent;
use std::io::Write;
use std::process::{Command, Stdio};

async fn enforcing() -> (FakeHub, TestAgent) {
    let hub = FakeHub::start().await;
    let good = hub.sign(3, &[label_policy("WT1", "bad")]);
    hub.assign(good.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&good).await;
    (hub, agent)
}

#[tokio::test]
async fn metrics_say_what_is_enforced_and_what_happened() {
    let (_hub, agent) = enforcing().await;
    agent.review(&pod_review("bad")).await;
    agent.review(&pod_review("good")).await;
    agent.until_metric("writ_agent_policy_evaluations_total{policy=\"wt1\",outcome=\"pass\"} 1").await;
    let (_, text) = agent.get("/metrics").await;
    for line in [
        "writ_agent_reviews_total{outcome=\"Denied\"} 1",
        "writ_agent_reviews_total{outcome=\"Allowed\"} 1",
        "writ_agent_active_epoch 3",
        "writ_agent_active_policies 1",
        "writ_agent_assignment_stale 0",
        "writ_agent_hub_connected 1",
        "writ_agent_review_duration_seconds_count 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("shop") && !text.contains("\"web\""), "no namespace or object in labels");
}

#[tokio::test]
async fn promtool_accepts_the_metrics() {
    let (_hub, agent) = enforcing().await;
    agent.review(&pod_review("bad")).await;
    let (_, text) = agent.get("/metrics").await;
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        println!("promtool is not installed; the form of the metrics is not checked");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn openmetrics_is_given_to_those_who_ask() {
    let (_hub, agent) = enforcing().await;
    let url = format!("{}/metrics", agent.metrics);
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    let response = agent.client.get(url).header("accept", accept).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert!(response.text().await.unwrap().ends_with("# EOF\n"));
}

#[tokio::test]
async fn probes_answer_on_the_webhooks_port_too() {
    let (_hub, agent) = enforcing().await;
    for path in ["/healthz", "/readyz"] {
        let response = agent.client.get(format!("{}{path}", agent.webhook)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    let response = agent.client.get(format!("{}/metrics", agent.webhook)).send().await.unwrap();
    assert_eq!(response.status(), 404, "metrics are not for everybody who reaches the webhook");
}

#[tokio::test]
async fn nothing_secret_is_logged() {
    let hub = FakeHub::start().await;
    let good = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(good.clone());
    let data = tempfile::tempdir().unwrap();
    let token = data.path().join("token");
    std::fs::write(&token, hub.token()).unwrap();
    let log = std::fs::File::create(data.path().join("log")).unwrap();
    let mut agent = tokio::process::Command::new(env!("CARGO_BIN_EXE_writ-agent"))
        .args(["--standalone", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "trace"])
        .arg("--data")
        .arg(data.path().join("data"))
        .arg("--token-file")
        .arg(&token)
        .args(["--hub", hub.url()])
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    hub.until_active(&good).await;
    hub.go_away();
    agent.kill().await.unwrap();
    let said = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(said.contains("enrolled"), "{said}");
    assert!(!said.contains(SECRET) && !said.contains(CREDENTIAL), "{said}");
}
