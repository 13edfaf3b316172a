//! Who is let in, and what every answer carries.

use crate::support::TestHub;
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use std::io::Write;
use tower::ServiceExt;

const TOKEN: &str = "an-admin-token-of-some-length";

async fn on_all_addresses() -> (TestHub, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{TOKEN}").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (TestHub::with(&["--listen", "0.0.0.0:8420", "--admin-token-file", &path]).await, file)
}

fn request(path: &str) -> axum::http::request::Builder {
    Request::get(path).header(header::HOST, "hub.example")
}

#[tokio::test]
async fn beyond_loopback_people_show_the_admin_token() {
    let (hub, _file) = on_all_addresses().await;
    for path in ["/api/v1/status", "/api/v1/failures", "/api/v1/counts", "/api/v1/revisions", "/api/v1/clusters"] {
        let answer = hub.send(request(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (401, "this needs the admin token".into()), "{path}");
    }
    assert_eq!(hub.post("/api/v1/enrollment-tokens", &json!({ "cluster": "a" })).await.status, 401);
    let bearer = |token: &str| request("/api/v1/status").header(header::AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(hub.send(bearer(TOKEN).body(Body::empty()).unwrap()).await.status, 200);
    assert_eq!(hub.send(bearer("guess").body(Body::empty()).unwrap()).await.status, 401);
    assert!(!format!("{:?}", hub.hub.app).contains(TOKEN));
}

#[tokio::test]
async fn form_opens_a_session_and_only_with_the_token() {
    let (hub, _file) = on_all_addresses().await;
    let form = |token: &str| {
        let request = Request::post("/login").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(Body::from(format!("token={token}&next=%2Ffailures"))).unwrap()
    };
    let wrong = hub.send(form("guess")).await;
    assert!(wrong.headers.get(header::SET_COOKIE).is_none());
    let right = hub.send(form(TOKEN)).await;
    assert_eq!(right.headers[header::LOCATION], "/failures");
    let cookie = right.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let value = cookie.split(';').next().unwrap();
    let answer = hub.send(request("/api/v1/status").header(header::COOKIE, value).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn first_start_beyond_loopback_keeps_the_token_hashed() {
    let hub = TestHub::with(&["--listen", "0.0.0.0:8420"]).await;
    assert_eq!(hub.get("/api/v1/status").await.status, 401);
    let kept = hub.hub.app.store.setting("admin_token").await.unwrap().unwrap();
    assert!(kept.parse::<writ_policy::Digest>().is_ok());
    let hub = hub.restarted().await;
    assert_eq!(hub.hub.app.store.setting("admin_token").await.unwrap().unwrap(), kept, "it is made once");
}

#[tokio::test]
async fn on_loopback_only_its_own_names_are_answered() {
    let hub = TestHub::new().await;
    let answer = hub.send(request("/api/v1/status").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 403);
    assert!(answer.error().contains("loopback"));
}

#[tokio::test]
async fn another_sites_form_changes_nothing() {
    let hub = TestHub::new().await;
    let send = async |path: &str, kind: &str, body: &'static str| {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, kind)
            .header(header::ORIGIN, "https://evil.example")
            .header("sec-fetch-site", "cross-site");
        let answer = hub.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 403, "{path}");
        answer
    };
    let answer = send("/api/v1/enrollment-tokens", "application/json", r#"{"cluster":"a"}"#).await;
    assert!(answer.error().contains("another site"), "{}", answer.error());
    let answer = send("/login", "application/x-www-form-urlencoded", "token=x").await;
    assert!(answer.text().starts_with("<!doctype html>"), "{}", answer.text());
    assert!(answer.text().contains("another site"));
}

#[tokio::test]
async fn browsers_are_asked_to_say_where_a_form_comes_from() {
    let (hub, _file) = on_all_addresses().await;
    let page = hub.send(request("/login").body(Body::empty()).unwrap()).await;
    // With `no-referrer` they say `Origin: null`, and over plain http nothing else: nobody could sign in.
    assert_eq!(page.headers[header::REFERRER_POLICY], "same-origin");
    let form = Request::post("/login").header(header::HOST, "hub.example").header(header::ORIGIN, "http://hub.example");
    let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = hub.send(form.body(Body::from(format!("token={TOKEN}"))).unwrap()).await;
    assert!(answer.headers.contains_key(header::SET_COOKIE), "{}", answer.status);
}

#[tokio::test]
async fn slow_strangers_do_not_keep_out_agents_and_people() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let routes = hub.hub.routes();
    let mut strangers = tokio::task::JoinSet::new();
    let mut ends = vec![];
    for path in ["/v1/enroll", "/login"].repeat(200) {
        let (end, body) = tokio::io::duplex(1);
        ends.push(end);
        let request =
            Request::post(path).header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from_stream(tokio_util::io::ReaderStream::new(body))).unwrap();
        strangers.spawn(routes.clone().oneshot(request));
    }
    tokio::task::yield_now().await;
    let blob = Request::get(format!("/v1/blobs/{}", "0".repeat(64))).header(header::HOST, "localhost");
    let blob = blob.header(header::AUTHORIZATION, format!("Bearer {}", agent.enrolled.credential));
    let page = Request::get("/api/v1/status").header(header::HOST, "localhost");
    for (request, expected) in [(blob, 403), (page, 200)] {
        let answer = routes.clone().oneshot(request.body(Body::empty()).unwrap());
        let answer = tokio::time::timeout(std::time::Duration::from_secs(5), answer).await.expect("nobody is kept out");
        assert_eq!(answer.unwrap().status(), expected);
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let hub = TestHub::new().await;
    for path in ["/", "/healthz", "/api/v1/status", "/api/v1/nothing", "/v1/desired"] {
        let answer = hub.get(path).await;
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy", "x-request-id"] {
            assert!(answer.headers.contains_key(name), "{path} lacks {name}");
        }
    }
}

#[tokio::test]
async fn probes_and_metrics_answer() {
    let hub = TestHub::new().await;
    hub.enroll("prod").await;
    assert_eq!(hub.get("/healthz").await.status, 200);
    assert_eq!(hub.get("/readyz").await.status, 200);
    let text = hub.get("/metrics").await.text();
    assert!(text.contains("writ_hub_clusters{state=\"never\"} 1\n"), "{text}");
    assert!(text.contains("writ_hub_commits_total{state=\"served\"} 1\n"), "{text}");
    assert!(!text.contains("prod") && !text.contains("# EOF"));
}

#[tokio::test]
async fn error_of_a_request_names_the_request() {
    let hub = TestHub::new().await;
    let answer = hub.post("/v1/enroll", &json!({ "token": 7 })).await;
    assert!(answer.status.is_client_error());
    assert_eq!(answer.json()["request"], answer.headers["x-request-id"].to_str().unwrap());
}
