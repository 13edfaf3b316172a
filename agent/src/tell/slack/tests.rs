//! Cards against a listener on this machine.

use super::*;
use crate::tell::Teller;
use crate::tell::tests::notice;
use axum::Router;
use axum::extract::{Json, State};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What arrived, by path.
type Arrived = Arc<Mutex<Vec<(String, Value)>>>;

/// Stands in for Slack; the first `busy` requests are told to come back at once.
async fn listener(busy: u32, tasks: &mut JoinSet<anyhow::Result<()>>) -> (Url, Arrived) {
    let arrived = Arrived::default();
    let left = Arc::new(AtomicU32::new(busy));
    let take = |State((arrived, left)): State<(Arrived, Arc<AtomicU32>)>, uri: http::Uri, Json(card): Json<Value>| async move {
        if left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]);
        }
        arrived.lock().unwrap().push((uri.path().to_owned(), card));
        (StatusCode::OK, [(header::RETRY_AFTER, "0")])
    };
    let router = Router::new().fallback(take).with_state((arrived.clone(), left));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tasks.spawn(async move { Ok(axum::serve(listener, router).await?) });
    (url, arrived)
}

/// Tells these notices; the namespace `shop` has a channel of its own.
async fn told(notices: Vec<Notice>, passive: bool, busy: u32, cards: usize) -> (Vec<(String, Value)>, Arc<Metrics>) {
    crate::tls::install_provider();
    let mut tasks = JoinSet::new();
    let (base, arrived) = listener(busy, &mut tasks).await;
    let metrics = Arc::new(Metrics::new());
    let addresses = Addresses(Some(base));
    let url = |namespace: String| -> BoxFuture<'static, Option<String>> {
        Box::pin(async move { (namespace == "shop").then(|| "https://hooks.slack.com/services/shop".to_owned()) })
    };
    let slack = Slack {
        default: Some(addresses.of("https://hooks.slack.com/services/admin").unwrap()),
        addresses,
        channels: Some(Arc::new(url)),
        passive,
        status: Arc::new(Status::new(uuid::Uuid::nil(), 0)),
        metrics: metrics.clone(),
    };
    let mut teller = Teller::new(metrics.clone());
    let queue = teller.by_slack();
    let shutdown = CancellationToken::new();
    tasks.spawn(slack.run(queue, shutdown.clone()));
    notices.into_iter().for_each(|notice| teller.send_for_test(notice));
    while metrics.slack.sent() < cards as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shutdown.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
    let mut arrived = arrived.lock().unwrap().clone();
    arrived.sort_by(|a, b| a.0.cmp(&b.0));
    (arrived, metrics)
}

fn paths(arrived: &[(String, Value)]) -> Vec<&str> {
    arrived.iter().map(|(path, _)| path.as_str()).collect()
}

#[tokio::test]
async fn administrators_and_the_namespace_are_told_and_the_card_says_so() {
    let bank = Notice { namespace: "bank".into(), ..notice("api") };
    let (arrived, metrics) = told(vec![notice("web"), notice("web"), bank], true, 0, 3).await;
    assert_eq!(paths(&arrived), ["/services/admin", "/services/admin", "/services/shop"], "the same words once");
    let alert = |at: usize| arrived[at].1["attachments"][0]["fields"][5]["value"].as_str().unwrap().to_owned();
    let mut admin = [alert(0), alert(1)];
    admin.sort();
    assert_eq!((admin, alert(2)), (["False".into(), "True".into()], "True".into()));
    assert_eq!(metrics.untold(), 0);
}

#[tokio::test]
async fn children_are_silent_and_passive_failures_where_it_is_said() {
    let passive = Notice { denied: false, ..notice("web") };
    let child = Notice { child: true, ..passive.clone() };
    let (arrived, _) = told(vec![child, passive, notice("last")], false, 0, 2).await;
    assert!(arrived.iter().all(|(_, card)| card.to_string().contains("deployment/last")), "{arrived:?}");
}

#[tokio::test]
async fn channel_that_asks_for_time_is_tried_again() {
    let other = Notice { namespace: "bank".into(), ..notice("web") };
    let (arrived, metrics) = told(vec![other], true, 2, 1).await;
    assert_eq!((arrived.len(), metrics.untold()), (1, 0));
}
