//! Moving a hub from SQLite to PostgreSQL: everything arrives, the source is closed, and whatever was interrupted goes on.

use crate::support::{Answer, NOW, TestAgent, TestHub, failure, policy, policy_count, review_count, violation};
use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use writ_hub::Hub;
use writ_hub::config::Config;
use writ_hub::migrate::{Migrate, migrate};
use writ_policy::wire::Report;

const DAY: i64 = 24 * 60 * 60 * 1000;
/// What people see, and what it is made of.
const SHOWN: [&str; 8] = [
    "/api/v1/counts?since=0",
    "/api/v1/clusters",
    "/api/v1/failures",
    "/api/v1/violations?state=open",
    "/api/v1/violations?state=fixed",
    "/api/v1/revisions",
    "/policies",
    "/namespaces",
];

/// A hub on SQLite with something of everything, and the URL of an empty database.
async fn used(test: &str) -> Option<(TestHub, TestAgent, String, TempDir)> {
    let Some(url) = writ_e2e::postgres::database() else {
        writ_e2e::skipped(test, "no PostgreSQL server");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("own.db").display());
    let mut hub = TestHub::with(&["--database", &file]).await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    agent.ask(&hub, None, agent.enforcing(&desired, NOW)).await;
    for (sequence, days) in [(1, 3), (2, 2), (3, 0)] {
        send(&hub, &agent, sequence, days).await;
    }
    hub.repository.write("docs/TEST1.md", "a \\N \\. tab\there\n\"é\"");
    hub.commit("Second\n\nwith a tab\there").await;
    writ_hub::heartbeat::flush(&hub.hub.app).await.unwrap();
    Some((hub, agent, url, folder))
}

/// A report of what happened so many days ago.
async fn send(hub: &TestHub, agent: &TestAgent, sequence: u64, days: i64) -> Answer {
    let at = NOW - days * DAY;
    let mut failures = vec![failure(&format!("a{sequence}\\\t")), failure("b\n")];
    failures.iter_mut().for_each(|failure| failure.at = at);
    let mut report = Report {
        policy_counts: vec![policy_count(2)],
        review_counts: vec![review_count(3)],
        violations: vec![violation(&format!("w{sequence}"), at)],
        ..agent.report(sequence, failures)
    };
    report.policy_counts[0].minute = at / 60_000;
    report.review_counts[0].minute = at / 60_000;
    agent.send(hub, &report).await
}

fn file_of(hub: &TestHub) -> String {
    let place = hub.arguments.iter().position(|argument| argument == "--database").unwrap();
    hub.arguments[place + 1].clone()
}

fn arguments(hub: &TestHub, url: &str, more: &[&str]) -> Migrate {
    let file = file_of(hub);
    Migrate::parse_from([&["migrate", "--from", &file, "--to", url][..], more].concat())
}

async fn run(hub: &TestHub, url: &str, more: &[&str]) -> Result<String, String> {
    let mut said = String::new();
    let outcome = migrate(&arguments(hub, url, more), NOW, &mut |line| said.push_str(&(line + "\n"))).await;
    outcome.map(|()| said).map_err(|error| format!("{error:#}"))
}

async fn shown(hub: &TestHub) -> Vec<Value> {
    let mut all = vec![];
    for path in SHOWN {
        let answer = hub.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        all.push(serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text())));
    }
    all
}

/// The hub on PostgreSQL, with the key that its agents trust.
async fn on_postgres(hub: &TestHub, url: &str) -> TestHub {
    let key = hub.data.path().join("hub.key");
    let moved = hub.on(&["--database", url, "--signing-key-file", key.to_str().unwrap()]).await;
    writ_hub::assign::assign(&moved.hub.app).await.unwrap();
    moved
}

#[tokio::test]
async fn everything_is_there_afterwards_and_agents_go_on() {
    let test = "everything_is_there_afterwards_and_agents_go_on";
    let Some((mut hub, agent, url, _folder)) = used(test).await else { return };
    let (_, told) = agent.desired(&hub).await;
    let before = shown(&hub).await;
    let said = run(&hub, &url, &[]).await.unwrap();
    assert!(said.contains("failures of 2025-06-12: 2 rows") && said.contains("violations: 3 rows"), "{said}");

    // The old one refuses whatever would be lost, and says why.
    let answer = send(&hub, &agent, 4, 0).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.error().contains("moved elsewhere"), "{}", answer.error());
    assert_eq!(hub.get("/readyz").await.status, 503);
    assert_eq!(hub.get("/api/v1/status").await.status, 200, "people still see what is stored");
    let again = hub.restarts().await.unwrap_err();
    assert!(again.contains("was moved to PostgreSQL's database") && !again.contains("panicked"), "{again}");

    let mut moved = on_postgres(&hub, &url).await;
    assert_eq!(shown(&moved).await, before);
    let (_, resumed) = agent.desired(&moved).await;
    assert_eq!((resumed.epoch, resumed.bundle), (told.epoch, told.bundle));
    assert_eq!(send(&moved, &agent, 3, 0).await.json(), json!({ "stored": 3 }), "what was stored is not again");
    for _ in 0..2 {
        assert_eq!(send(&moved, &agent, 4, 0).await.json(), json!({ "stored": 4 }));
    }
    assert_eq!(moved.get("/api/v1/counts?since=0").await.json()["failures"], 8);
    hub.repository.write("test1.rego", policy("TEST1", "third")).commit("Third");
    moved.sync().await;
    assert_eq!(agent.desired(&moved).await.1.epoch, told.epoch + 1);
    let said = run(&hub, &url, &[]).await.unwrap();
    assert!(said.starts_with("everything is in PostgreSQL's database") && said.contains("already"), "{said}");
    let error = run(&hub, &url, &["--give-up"]).await.unwrap_err();
    assert!(error.contains("restore a backup"), "{error}");
}

#[tokio::test]
async fn what_was_prepared_is_copied_again_where_it_changed_since() {
    let test = "what_was_prepared_is_copied_again_where_it_changed_since";
    let Some((hub, agent, url, _folder)) = used(test).await else { return };
    let said = run(&hub, &url, &["--prepare"]).await.unwrap();
    assert!(said.contains("failures of 2025-06-13: 2 rows") && !said.contains("closed"), "{said}");
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let server = Config::parse_from(["writ-hub", "--data", folder, "--source", "/srv/x", "--database", &url]);
    let error = Hub::open(&server, hub.clock.clone(), CancellationToken::new()).await.map(drop).unwrap_err();
    assert!(format!("{error:#}").contains("not everything was moved"), "{error:#}");
    // A spool of two days ago arrives late.
    assert_eq!(send(&hub, &agent, 4, 2).await.status, 200);
    assert_eq!(send(&hub, &agent, 5, 0).await.status, 200);
    let before = shown(&hub).await;
    let said = run(&hub, &url, &[]).await.unwrap();
    assert!(said.contains("failures of 2025-06-13: 4 rows") && !said.contains("failures of 2025-06-12"), "{said}");
    assert_eq!(shown(&on_postgres(&hub, &url).await).await, before);
}

#[tokio::test]
async fn who_gives_up_has_the_source_as_it_was_and_an_empty_target() {
    let test = "who_gives_up_has_the_source_as_it_was_and_an_empty_target";
    let Some((hub, agent, url, _folder)) = used(test).await else { return };
    run(&hub, &url, &["--prepare"]).await.unwrap();
    let file = file_of(&hub).trim_start_matches("sqlite:").to_owned();
    let mut source = writ_hub::store::moving::Source::open(file.as_ref()).await.unwrap();
    source.close("elsewhere").await.unwrap();
    assert_eq!(send(&hub, &agent, 4, 0).await.status, 503);
    run(&hub, &url, &["--give-up"]).await.unwrap();
    assert_eq!(send(&hub, &agent, 4, 0).await.json(), json!({ "stored": 4 }));
    let fresh = TestHub::with(&["--database", &url]).await;
    assert_eq!(fresh.get("/api/v1/counts?since=0").await.json()["failures"], 0);
}

#[tokio::test]
async fn target_that_is_in_use_is_left_as_it_is() {
    let Some((hub, _, url, _folder)) = used("target_that_is_in_use_is_left_as_it_is").await else { return };
    let other = TestHub::with(&["--database", &url]).await;
    other.enroll("dev").await;
    let rows = || {
        let dump = String::from_utf8(other.stored()).unwrap();
        // Newer versions of the dump have words of their own.
        dump.lines().filter(|line| !line.contains("restrict ")).collect::<Vec<_>>().join("\n")
    };
    let before = rows();
    let error = run(&hub, &url, &[]).await.unwrap_err();
    assert!(error.contains("is in use") && error.contains("nothing was changed"), "{error}");
    assert_eq!(rows(), before);
    assert_eq!(hub.get("/readyz").await.status, 200, "the source is not closed");
}

#[tokio::test]
async fn odd_arguments_are_refused_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let text = data.path().join("text");
    std::fs::write(&text, "no database").unwrap();
    let (absent, text) = (data.path().join("absent").display().to_string(), text.display().to_string());
    let to = "postgres://writ@localhost/writ?host=/nowhere";
    for (from, to, reason) in [
        (format!("sqlite:{absent}"), to, "there is no file"),
        (format!("sqlite:{text}"), to, "opening the source"),
        (to.to_owned(), to, "--from is a database of SQLite"),
        (format!("sqlite:{absent}"), "sqlite:x", "--to is a database of PostgreSQL"),
    ] {
        let arguments = Migrate::parse_from(["migrate", "--from", &from, "--to", to]);
        let error = format!("{:#}", migrate(&arguments, NOW, &mut |_| {}).await.unwrap_err());
        assert!(error.contains(reason), "{from} {to}: {error}");
    }
}
