//! Sends Events, one after the other. What cannot be sent is dropped and counted: an Event is a courtesy, and the hub has
//! the record.

use crate::metrics::Metrics;
use crate::tell::Notice;
use crate::tell::events::{Events, Said};
use crate::{clock, log_chain};
use anyhow::Context;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often the counts of Events that are there are brought up to date.
const AGAIN_EVERY: Duration = Duration::from_secs(10);
/// The longest that one request may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tells by Events until shutdown.
pub async fn tell(
    client: Client,
    replica: String,
    mut queue: mpsc::Receiver<Arc<Notice>>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut sender = Sender { client, metrics, works: true };
    let mut events = Events::new(&replica);
    let mut look_at = Instant::now() + AGAIN_EVERY;
    loop {
        let notice = tokio::select! {
            notice = queue.recv() => notice,
            () = tokio::time::sleep_until(look_at) => {
                look_at = Instant::now() + AGAIN_EVERY;
                for said in events.again(clock::now()) {
                    sender.send(said).await;
                }
                continue;
            }
            () = shutdown.cancelled() => return Ok(()),
        };
        // Reviews may be answered for a moment longer than anybody listens here.
        let Some(notice) = notice else {
            shutdown.cancelled().await;
            return Ok(());
        };
        match events.take(&notice, clock::now()) {
            Ok(Some(said)) => sender.send(said).await,
            Ok(None) => {}
            Err(_) => sender.metrics.events.dropped(),
        }
    }
}

struct Sender {
    client: Client,
    metrics: Arc<Metrics>,
    works: bool,
}

impl Sender {
    async fn send(&mut self, said: Said) {
        let sent = tokio::time::timeout(TIMEOUT, send(&self.client, said)).await;
        match sent.context("the API server took too long").and_then(|sent| sent) {
            Ok(()) => {
                self.metrics.events.told();
                self.works = true;
            }
            Err(problem) => {
                self.metrics.events.dropped();
                if std::mem::take(&mut self.works) {
                    warn!(
                        error = log_chain(&problem),
                        "Events cannot be written; the hub has the records all the same"
                    );
                }
            }
        }
    }
}

async fn send(client: &Client, said: Said) -> anyhow::Result<()> {
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("events.k8s.io", "v1", "Event"), "events");
    let of = |namespace: &str| Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    match said {
        Said::New { namespace, event } => {
            let event = serde_json::from_value(event).context("writing an Event")?;
            of(&namespace).create(&PostParams::default(), &event).await.context("creating an Event")?;
        }
        Said::Again { namespace, name, patch } => {
            let patch = Patch::Merge(patch);
            of(&namespace).patch(&name, &PatchParams::default(), &patch).await.context("counting an Event")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::Script;
    use crate::tell::Teller;
    use serde_json::json;
    use tokio::task::JoinSet;

    #[tokio::test]
    async fn event_is_created_and_a_refusal_is_counted_and_ends_nothing() {
        let path = "/apis/events.k8s.io/v1/namespaces/shop/events";
        let stored = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "web.1"}});
        let forbidden = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
            "reason": "Forbidden", "message": "no"});
        let script = Script::new().expect("POST", path, (403, forbidden)).expect("POST", path, (201, stored));
        let metrics = Arc::new(Metrics::new());
        let mut teller = Teller::new(metrics.clone());
        let queue = teller.by_events();
        let shutdown = CancellationToken::new();
        let mut telling = JoinSet::new();
        telling.spawn(tell(script.client(), "a-0".into(), queue, metrics.clone(), shutdown.clone()));
        for name in ["one", "two"] {
            teller.send_for_test(crate::tell::tests::notice(name));
        }
        while metrics.events.sent() < 1 {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
        telling.join_next().await.unwrap().unwrap().unwrap();
        script.assert_done();
        assert_eq!(metrics.untold(), 1);
        assert_eq!(script.bodies()[1]["note"], "[FAIL] HIGH - no (MT1)");
    }
}
