//! Exit codes and sentences of `writ wait`, against a hub that answers as told.

use crate::support::{fake_hub, writ};
use serde_json::{Value, json};
use std::path::Path;

const COMMIT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn cluster(name: &str, state: &str, active: &str) -> Value {
    json!({
        "name": name, "labels": {}, "state": state, "seen_at": 1,
        "desired": {"revision": COMMIT, "epoch": 2},
        "active": {"revision": active, "epoch": 1, "active_at": 1},
        "refused_reason": (state == "refused").then_some("blob 12ab is missing"),
    })
}

fn wait(revision: Option<Value>, clusters: Vec<Value>) -> (i32, String) {
    let status = json!({"source": "x", "head": COMMIT, "served": COMMIT, "clusters": clusters});
    let mut answers = vec![("/api/v1/status", status.to_string())];
    answers.extend(revision.map(|revision| ("/api/v1/revisions/", revision.to_string())));
    let hub = format!("http://{}", fake_hub(answers));
    let ended = writ(Path::new("/"), &["wait", "--hub", &hub, "--commit", COMMIT, "--timeout", "50ms"]);
    (ended.code, ended.stdout.trim().to_owned() + &ended.stderr)
}

fn served() -> Option<Value> {
    Some(json!({"state": "served", "diagnostics": [], "enforced_by": []}))
}

#[test]
fn enforced_everywhere_is_0() {
    let clusters = vec![cluster("dev", "enforcing", COMMIT), cluster("prod", "enforcing", COMMIT)];
    assert_eq!(wait(served(), clusters), (0, "2 clusters enforce aaaaaaaaaa".into()));
}

#[test]
fn a_cluster_that_went_on_to_a_later_commit_has_proved_it() {
    let revision = json!({"state": "served", "enforced_by": [{"cluster": "dev", "epoch": 1, "active_at": 5}]});
    assert_eq!(wait(Some(revision), vec![cluster("dev", "enforcing", OTHER)]).0, 0);
}

#[test]
fn refused_by_the_hub_is_1_with_file_and_line() {
    let found =
        json!({"path": "a.rego", "line": 3, "column": 1, "length": 1, "level": "error", "message": "no", "help": null});
    let (code, text) = wait(Some(json!({"state": "refused", "diagnostics": [found]})), vec![]);
    assert_eq!(code, 1);
    assert!(text.contains("a.rego:3:1: error: no"), "{text}");
}

#[test]
fn refused_by_a_cluster_is_1_with_its_reason() {
    let clusters = vec![cluster("dev", "enforcing", COMMIT), cluster("prod", "refused", OTHER)];
    assert_eq!(wait(served(), clusters), (1, "prod refused aaaaaaaaaa: blob 12ab is missing".into()));
}

#[test]
fn not_in_time_is_2_and_names_what_is_missing() {
    let clusters = vec![cluster("dev", "enforcing", COMMIT), cluster("prod", "offline", COMMIT)];
    let (code, text) = wait(served(), clusters);
    assert_eq!((code, text.as_str()), (2, "not everywhere in 50ms: prod is offline"), "stale is never compliant");
    let (code, text) = wait(None, vec![]);
    assert_eq!(code, 2);
    assert!(text.contains("the hub has not seen commit aaaaaaaaaa"), "{text}");
}

#[test]
fn hub_that_is_not_there_is_1_and_named() {
    let ended = writ(Path::new("/"), &["wait", "--hub", "http://127.0.0.1:1", "--commit", COMMIT]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("could not reach the hub at http://127.0.0.1:1/"), "{}", ended.stderr);
}

#[test]
fn a_branch_is_not_a_commit() {
    let ended = writ(Path::new("/"), &["wait", "--commit", "main"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("full git object id"), "{}", ended.stderr);
}
