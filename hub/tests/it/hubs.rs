//! Several hubs on one PostgreSQL: agents may ask any of them, one leads, and none of them remembers what is no more.

use crate::support::{NOW, TestHub, failure, policy, policy_count};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clap::Parser;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writ_hub::config::Config;
use writ_hub::replica::{self, Replica};
use writ_hub::{assign, leader};
use writ_policy::wire::Report;

/// Far beyond what any of this takes, so that a defect fails instead of hanging.
const LIMIT: Duration = Duration::from_secs(60);

/// Two hubs, of which the first does what a leader does; nothing where there is no PostgreSQL.
async fn two(test: &str) -> Option<(TestHub, TestHub)> {
    let Some(url) = writ_e2e::postgres::database() else {
        writ_e2e::skipped(test, "no PostgreSQL server");
        return None;
    };
    let first = TestHub::with(&["--database", &url]).await;
    let second = first.beside(&[]).await;
    Some((first, second))
}

async fn refresh(hub: &TestHub) {
    Replica::new(hub.hub.app.clone()).refresh().await.unwrap();
}

#[tokio::test]
async fn agent_at_either_hub_hears_what_the_leader_tells() {
    let Some((mut first, second)) = two("agent_at_either_hub_hears_what_the_leader_tells").await else { return };
    let agent = second.enroll("prod").await;
    assign::assign(&first.hub.app).await.unwrap();
    refresh(&second).await;
    let (desired, assignment) = agent.desired(&second).await;
    assert_eq!((desired, assignment.epoch), (agent.desired(&first).await.0, 1));

    first.repository.write("test1.rego", policy("TEST1", "yes"));
    first.commit("Second").await;
    refresh(&second).await;
    let (desired, assignment) = agent.desired(&second).await;
    assert_eq!(assignment.epoch, 2);
    assert_eq!(agent.index(&second, &desired).await.files.len(), 1, "blobs are at every hub");
    assert_eq!(second.served().await, first.served().await);
    assert_eq!(second.get("/api/v1/status").await.json()["source"], first.get("/api/v1/status").await.json()["source"]);
}

#[tokio::test]
async fn report_that_moves_between_hubs_is_stored_once() {
    let Some((first, second)) = two("report_that_moves_between_hubs_is_stored_once").await else { return };
    let agent = first.enroll("prod").await;
    let report = Report { policy_counts: vec![policy_count(2)], ..agent.report(1, vec![failure("a")]) };
    let answers = tokio::join!(
        agent.send(&first, &report),
        agent.send(&second, &report),
        agent.send(&first, &report),
        agent.send(&second, &report)
    );
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "stored": 1 })));
    }
    let counts = second.get("/api/v1/counts").await.json();
    assert_eq!((&counts["failures"], &counts["policy_failures"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn word_to_one_hub_is_not_undone_by_what_another_remembers() {
    let test = "word_to_one_hub_is_not_undone_by_what_another_remembers";
    let Some((first, second)) = two(test).await else { return };
    let agent = first.enroll("prod").await;
    let (desired, _) = agent.desired(&first).await;
    let have = Some(desired.assignment.digest());
    let fine = agent.enforcing(&desired, NOW);
    let mut worse = fine.clone();
    worse.load_errors = serde_json::from_value(json!([{ "path": "a.rego", "message": "no" }])).unwrap();
    refresh(&second).await;
    agent.ask(&first, have, fine.clone()).await;
    agent.ask(&first, have, fine.clone()).await;
    agent.ask(&second, have, worse.clone()).await;
    writ_hub::heartbeat::flush(&first.hub.app).await.unwrap();
    let errors = async || first.get("/api/v1/clusters").await.json()[0]["load_errors"].as_array().unwrap().len();
    assert_eq!(errors().await, 1);
    agent.ask(&first, have, fine).await;
    assert_eq!(errors().await, 0, "the first hub does not take its own memory for what is stored");
}

#[tokio::test]
async fn hub_with_another_key_is_refused_and_makes_none() {
    let Some((first, _second)) = two("hub_with_another_key_is_refused_and_makes_none").await else { return };
    let (data, source) = (tempfile::tempdir().unwrap(), first.repository.path().to_str().unwrap());
    let folder = data.path().to_str().unwrap();
    let place = first.arguments.iter().position(|argument| argument == "--database").unwrap() + 1;
    let mut arguments =
        vec!["writ-hub", "--data", folder, "--source", source, "--database", first.arguments[place].as_str()];
    let open = async |arguments: &[&str]| {
        let config = Config::parse_from(arguments);
        let hub = writ_hub::Hub::open(&config, first.clock.clone(), CancellationToken::new()).await;
        format!("{:#}", hub.map(drop).unwrap_err())
    };
    let error = open(&arguments).await;
    assert!(error.contains("copy `hub.key` of the other hubs"), "{error}");
    assert!(!data.path().join("hub.key").exists());
    let other = TestHub::empty(&[]).await.data.keep().join("hub.key");
    arguments.extend(["--signing-key-file", other.to_str().unwrap()]);
    let error = open(&arguments).await;
    assert!(error.contains("agents trust only theirs"), "{error}");
}

#[tokio::test]
async fn other_hub_leads_when_the_leader_is_gone_and_tells_what_was_committed() {
    let test = "other_hub_leads_when_the_leader_is_gone_and_tells_what_was_committed";
    let Some((first, second)) = two(test).await else { return };
    first.enroll("prod").await;
    let TestHub { hub: first, mut repository, data: _data, .. } = first;
    let TestHub { hub: second, data: _other, .. } = second;
    let (app, shutdown) = (second.app.clone(), CancellationToken::new());
    let mut told = app.board.follow(1).unwrap();
    let mut leading = JoinSet::new();
    let former = first.app.clone();
    leading.spawn(leader::run(former.clone(), first.follower, (LIMIT * 60, keeping()), shutdown.clone()));
    eventually(|| former.lead.is_held()).await;
    let mut loops = JoinSet::new();
    loops.spawn(leader::run(app.clone(), second.follower, (LIMIT * 60, keeping()), shutdown.clone()));
    loops.spawn(replica::run(app.clone(), shutdown.clone()));
    repository.write("test1.rego", policy("TEST1", "second")).commit("Second");
    tokio::time::timeout(LIMIT, told.wait_for(|word| word.as_ref().is_some_and(|word| word.epoch == 2)))
        .await
        .unwrap()
        .unwrap();
    assert!(!app.lead.is_held());

    // Its session ends with it; it does not know, and writes nothing any more.
    leading.shutdown().await;
    eventually(|| app.lead.is_held()).await;
    assert!(former.begin_as_leader().await.is_err());
    repository.write("test1.rego", policy("TEST1", "third")).commit("Third");
    tokio::time::timeout(LIMIT, told.wait_for(|word| word.as_ref().is_some_and(|word| word.epoch == 3)))
        .await
        .unwrap()
        .unwrap();
    shutdown.cancel();
    while let Some(ended) = loops.join_next().await {
        ended.unwrap().unwrap();
    }
}

fn keeping() -> writ_hub::retention::Keeping {
    Config::parse_from(["writ-hub", "--source", "/srv/policies"]).keeping
}

async fn eventually(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap();
}

#[tokio::test]
async fn session_is_valid_at_every_hub_until_it_ends_or_the_token_is_another_one() {
    let test = "session_is_valid_at_every_hub_until_it_ends_or_the_token_is_another_one";
    let Some(url) = writ_e2e::postgres::database() else { return writ_e2e::skipped(test, "no PostgreSQL server") };
    let tokens = tempfile::tempdir().unwrap();
    let token = |name: &str| {
        let path = tokens.path().join(name);
        std::fs::write(&path, format!("admin-token-number-{name}")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (token("one"), token("two"));
    let first = TestHub::with(&["--database", &url, "--listen", "0.0.0.0:8420", "--admin-token-file", &one]).await;
    let second = first.beside(&[]).await;
    let key = first.data.path().join("hub.key");
    let other = ["--database", &url, "--listen", "0.0.0.0:8420", "--admin-token-file", &two, "--signing-key-file"];
    let changed = first.on(&[&other[..], &[key.to_str().unwrap()]].concat()).await;
    let with = |method: &str, path: &str, cookie: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let sign_in = async || {
        let answer = first.send(with("POST", "/login", "", "token=admin-token-number-one")).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        cookie.split(';').next().unwrap().to_owned()
    };
    let cookie = sign_in().await;
    let seen =
        async |hub: &TestHub, cookie: &str| hub.send(with("GET", "/api/v1/status", cookie, "")).await.status.as_u16();
    assert_eq!(
        [seen(&first, &cookie).await, seen(&second, &cookie).await, seen(&changed, &cookie).await],
        [200, 200, 401]
    );
    second.send(with("POST", "/logout", &cookie, "")).await;
    assert_eq!([seen(&first, &cookie).await, seen(&second, &cookie).await], [401, 401]);

    let cookie = sign_in().await;
    let twelve_hours = 12 * 60 * 60 * 1000;
    first.clock.set(NOW + twelve_hours - 1);
    assert_eq!(seen(&second, &cookie).await, 200);
    first.clock.set(NOW + twelve_hours);
    assert_eq!(seen(&second, &cookie).await, 401);
    first.clock.set(NOW + twelve_hours + 1);
    writ_hub::retention::round(&first.hub.app, &keeping(), Duration::ZERO).await.unwrap();
    let metrics = first.send(with("GET", "/metrics", "", "")).await.text();
    assert!(metrics.contains("writ_hub_deleted_rows_total{table=\"sessions\"} 1"), "{metrics}");
}
