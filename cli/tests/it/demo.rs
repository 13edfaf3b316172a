//! What `writ demo` says when it cannot start. That it works is `writ demo --check`, which `./test` runs.

use crate::support::writ;
use std::net::TcpListener;

#[test]
fn port_in_use_is_one_sentence_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let taken = (20_000..60_000).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = writ(dir.path(), &["demo", "--port", &port]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.starts_with(&format!("error: port {port} is in use by another program")), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn folder_that_cannot_be_written_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let ended = writ(dir.path(), &["demo", "--dir", "file/demo", "--port", "0"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.starts_with("error: could not write to "), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn scenario_wants_a_folder_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let ended = writ(dir.path(), &["demo", "--check", "--dir", "."]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("is not empty; name a new folder"), "{}", ended.stderr);
    assert_eq!(writ(dir.path(), &["demo", "--commits", "3"]).code, 2, "--commits is for --check");
}
