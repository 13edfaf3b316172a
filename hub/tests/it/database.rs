//! A database that is away, cannot be written, is damaged or is of another version: said clearly, nothing lost.

use crate::support::{TestHub, failure};
use clap::Parser;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use writ_e2e::certificates::Certificates;
use writ_e2e::postgres::{self, Postgres};
use writ_hub::Hub;
use writ_hub::clock::Clock;
use writ_hub::config::Config;

/// A server of its own, or a note that the test is skipped.
fn server(test: &str) -> Option<Postgres> {
    if !postgres::is_here() {
        writ_e2e::skipped(test, "no PostgreSQL server");
        return None;
    }
    Some(Postgres::start().unwrap())
}

#[tokio::test]
async fn server_that_is_killed_and_comes_back_costs_no_record() {
    let Some(server) = server("server_that_is_killed_and_comes_back_costs_no_record") else { return };
    let hub = TestHub::with(&["--database", &server.database().unwrap()]).await;
    let agent = hub.enroll("prod").await;
    assert_eq!(agent.send(&hub, &agent.report(1, vec![failure("a")])).await.status, 200);
    server.kill().unwrap();
    let answer = agent.send(&hub, &agent.report(2, vec![failure("b")])).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(hub.get("/readyz").await.status, 503);
    assert_eq!(hub.get("/healthz").await.status, 200);
    server.restart().unwrap();
    assert_eq!(hub.get("/readyz").await.status, 200);
    for _ in 0..2 {
        assert_eq!(agent.send(&hub, &agent.report(2, vec![failure("b")])).await.json(), json!({ "stored": 2 }));
    }
    assert_eq!(hub.get("/api/v1/counts").await.json()["failures"], 2);
}

#[tokio::test]
async fn primary_that_becomes_read_only_is_told_and_left() {
    let Some(server) = server("primary_that_becomes_read_only_is_told_and_left") else { return };
    let hub = TestHub::with(&["--database", &server.database().unwrap()]).await;
    let agent = hub.enroll("prod").await;
    let set = |value: &str| {
        server.sql("postgres", &format!("ALTER SYSTEM SET default_transaction_read_only = {value}")).unwrap();
        server.sql("postgres", "SELECT pg_reload_conf()").unwrap();
        while server.sql("postgres", "SHOW default_transaction_read_only").unwrap() != value {}
    };
    set("on");
    let answer = agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"));
    let ready = hub.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(hub.get("/api/v1/status").await.status, 200, "people still see what is stored");
    set("off");
    assert_eq!(agent.send(&hub, &agent.report(1, vec![failure("a")])).await.json(), json!({ "stored": 1 }));
    assert_eq!(hub.get("/readyz").await.status, 200);
}

async fn open(arguments: &[&str]) -> Result<Hub, String> {
    let config = Config::parse_from([&["writ-hub", "--source", "/srv/policies"][..], arguments].concat());
    let hub = Hub::open(&config, Clock::fixed(0), CancellationToken::new()).await;
    hub.map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn damaged_file_is_named_and_left_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let (folder, file) = (data.path().to_str().unwrap(), data.path().join("hub.db"));
    let content = b"SQLite format 3\0 and then something else ".repeat(500);
    for content in [&content[..], b"no database at all, but a long enough text to be read as one".repeat(50).as_slice()]
    {
        std::fs::write(&file, content).unwrap();
        let error = open(&["--data", folder]).await.unwrap_err();
        assert!(error.contains("hub.db") && error.contains("restore a backup"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), content);
    }
}

#[tokio::test]
async fn server_that_is_away_is_named_at_start_without_a_password() {
    let data = tempfile::tempdir().unwrap();
    let (folder, password) = (data.path().to_str().unwrap(), data.path().join("password"));
    std::fs::write(&password, "geheim").unwrap();
    let url = format!("postgres://writ@localhost/writ?host={folder}");
    let error =
        open(&["--data", folder, "--database", &url, "--database-password-file", password.to_str().unwrap()]).await;
    let error = error.unwrap_err();
    assert!(error.contains("PostgreSQL's database `writ` in") && !error.contains("geheim"), "{error}");
}

#[tokio::test]
async fn server_proves_who_it_is_or_is_not_spoken_to() {
    if !postgres::is_here() {
        return writ_e2e::skipped("server_proves_who_it_is_or_is_not_spoken_to", "no PostgreSQL server");
    }
    let folder = tempfile::tempdir().unwrap();
    let (certificates, others) = (Certificates::new().unwrap(), Certificates::new().unwrap());
    let authority = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ours, others) = (authority("ours.pem", &certificates.ca), authority("others.pem", &others.ca));
    let server = Postgres::start_with_tls(&certificates).unwrap();
    server.sql("postgres", "CREATE DATABASE writ").unwrap();
    let port = server.port();
    let url = |host: &str, mode: &str, authority: &str| {
        format!("postgres://postgres@{host}:{port}/writ?sslmode={mode}&sslrootcert={authority}")
    };
    let hub = TestHub::with(&["--database", &url("127.0.0.1", "verify-full", &ours)]).await;
    let agent = hub.enroll("prod").await;
    assert_eq!(agent.send(&hub, &agent.report(1, vec![failure("a")])).await.status, 200);
    let plain = "SELECT COUNT(*) FILTER (WHERE NOT ssl), COUNT(*) > 0 FROM pg_stat_ssl
        JOIN pg_stat_activity USING (pid) WHERE application_name = 'writ-hub'";
    assert_eq!(server.sql("postgres", plain).unwrap(), "0|t", "every connection is encrypted");

    let data = tempfile::tempdir().unwrap();
    let refused = async |url: &str| open(&["--data", data.path().to_str().unwrap(), "--database", url]).await.map(drop);
    for (url, reason) in [
        (url("127.0.0.1", "verify-full", &others), "invalid peer certificate"),
        // The certificate is not for this address.
        (url("127.0.0.2", "verify-full", &ours), "not valid for name"),
        (url("127.0.0.1", "disable", &ours), "no pg_hba.conf entry"),
    ] {
        let error = refused(&url).await.unwrap_err();
        assert!(error.contains(reason), "{url}: {error}");
    }
}
