//! Push webhooks: each git host's way to sign, and what those get who cannot.

use crate::support::{Answer, TestHub};
use aws_lc_rs::hmac;
use axum::body::{Body, Bytes};
use axum::http::Request;
use futures::{FutureExt, StreamExt, stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const SECRET: &str = "a webhook secret of tests";
const BODY: &str = r#"{"ref": "refs/heads/main", "url": "https://evil.example/policies.git"}"#;

async fn hub(secrets: &str) -> (TestHub, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, secrets).unwrap();
    let hub = TestHub::with(&["--webhook-secret-file", file.to_str().unwrap()]).await;
    (hub, folder)
}

fn signature(secret: &str, body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn push(hub: &TestHub, header: &str, value: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/hooks/push").header("content-type", "application/json").header(header, value);
    hub.send(request.body(body.into()).unwrap()).await
}

/// Whether somebody has the source looked at since this was last asked.
fn is_looked_at(hub: &TestHub) -> bool {
    hub.hub.app.look_wanted.notified().now_or_never().is_some()
}

#[tokio::test]
async fn every_git_host_that_knows_the_secret_has_the_source_looked_at() {
    let (hub, _folder) = hub(&format!("{SECRET}\n")).await;
    let hex = signature(SECRET, BODY);
    for (header, value) in [
        ("x-hub-signature-256", format!("sha256={hex}")),
        ("x-hub-signature", format!("sha256={hex}")),
        ("x-gitea-signature", hex.clone()),
        ("x-writ-signature", format!("sha256={hex}")),
        ("x-gitlab-token", SECRET.to_owned()),
    ] {
        assert_eq!(push(&hub, header, &value, BODY).await.status, 202, "{header}");
        assert!(is_looked_at(&hub), "{header}");
    }
}

#[tokio::test]
async fn webhook_without_a_right_signature_is_refused() {
    let (hub, _folder) = hub(SECRET).await;
    let hex = signature(SECRET, BODY);
    for (header, value) in [
        ("x-unknown", format!("sha256={hex}")),
        ("x-hub-signature-256", format!("sha256={}", signature("another secret of tests", BODY))),
        ("x-hub-signature-256", format!("sha256={}", signature(SECRET, "another body"))),
        ("x-hub-signature-256", hex.clone()),
        ("x-hub-signature-256", format!("sha256={}", &hex[..62])),
        ("x-hub-signature", format!("sha1={hex}")),
        ("x-gitea-signature", String::new()),
        ("x-gitlab-token", "guess".to_owned()),
    ] {
        let answer = push(&hub, header, &value, BODY).await;
        assert_eq!(answer.status, 401, "{header}: {value}");
        assert!(!answer.text().contains(SECRET));
    }
    assert!(!is_looked_at(&hub));
}

#[tokio::test]
async fn secret_is_replaced_without_a_restart() {
    let (hub, folder) = hub(SECRET).await;
    let new = "the webhook secret that is next";
    std::fs::write(folder.path().join("secret"), format!("{SECRET}\n{new}\n")).unwrap();
    for secret in [SECRET, new] {
        assert_eq!(push(&hub, "x-gitlab-token", secret, BODY).await.status, 202);
    }
    std::fs::write(folder.path().join("secret"), new).unwrap();
    assert_eq!(push(&hub, "x-gitlab-token", SECRET, BODY).await.status, 401);
}

#[tokio::test]
async fn hub_without_a_secret_has_no_webhook() {
    let hub = TestHub::new().await;
    assert_eq!(push(&hub, "x-gitlab-token", "", BODY).await.status, 404);
}

#[tokio::test]
async fn body_of_a_gigabyte_is_not_read() {
    let (hub, _folder) = hub(SECRET).await;
    let pulled = Arc::new(AtomicUsize::new(0));
    let endless = || {
        let pulled = pulled.clone();
        stream::repeat_with(move || {
            pulled.fetch_add(64 << 10, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(&[0; 64 << 10]))
        })
        .take(1 << 14)
    };
    let answer = push(&hub, "x-hub-signature-256", "sha256=00", Body::from_stream(endless())).await;
    assert_eq!(answer.status, 413);
    let read = pulled.load(Ordering::Relaxed);
    assert!(read <= 2 << 20, "{read}");

    let request = Request::post("/hooks/push").header("x-gitlab-token", SECRET).header("content-length", 1 << 30);
    assert_eq!(hub.send(request.body(Body::from_stream(endless())).unwrap()).await.status, 413);
    let unsigned = Request::post("/hooks/push").body(Body::from_stream(endless())).unwrap();
    assert_eq!(hub.send(unsigned).await.status, 401);
    assert_eq!(pulled.load(Ordering::Relaxed), read, "nothing more was read");
}

#[tokio::test]
async fn flood_of_webhooks_is_told_to_come_later() {
    let (hub, _folder) = hub(SECRET).await;
    let mut statuses = vec![];
    for _ in 0..100 {
        statuses.push(push(&hub, "x-gitlab-token", "guess", BODY).await.status.as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 401).count() < 90);
}

#[tokio::test]
async fn secret_is_nowhere_to_be_found() {
    let (mut hub, _folder) = hub(SECRET).await;
    push(&hub, "x-gitlab-token", SECRET, BODY).await;
    hub.sync().await;
    let stored = String::from_utf8_lossy(&hub.stored()).into_owned();
    assert!(!stored.contains(SECRET) && !stored.contains("evil.example"), "neither the secret nor the payload is kept");
    for page in ["/", "/revisions", "/api/v1/status", "/metrics"] {
        assert!(!hub.get(page).await.text().contains(SECRET), "{page}");
    }
}
