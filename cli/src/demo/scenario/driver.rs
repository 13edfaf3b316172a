//! The other side of the proof: what was sent and what the agents answered, counted where the answers arrive.

use crate::demo::random::Random;
use crate::demo::traffic::Workloads;
use crate::demo::webhook::{Answer, Webhook};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

/// What the agents answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) reviews: u64,
    /// Reviews to which at least one policy objected.
    pub(super) failing: u64,
    pub(super) denied: u64,
    /// Objections by policy code; each policy once per review, as failures are stored.
    pub(super) by_code: BTreeMap<String, u64>,
    /// Reviews that got no answer.
    pub(super) unanswered: u64,
}

impl Tally {
    pub(super) fn failures(&self) -> u64 {
        self.by_code.values().sum()
    }
}

/// Sends reviews and counts the answers. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    clusters: Vec<(Webhook, Arc<Gate<()>>)>,
    tally: Arc<Mutex<Tally>>,
}

impl Driver {
    pub(super) fn new(webhooks: Vec<Webhook>) -> Self {
        let clusters = webhooks.into_iter().map(|webhook| (webhook, Arc::new(Gate::new(())))).collect();
        Self { clusters, tally: Arc::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally.lock().expect("nothing panics while it counts").clone()
    }

    /// One review to one cluster.
    pub(super) async fn review(&self, cluster: usize, review: &Value) -> anyhow::Result<Answer> {
        let (webhook, _) = &self.clusters[cluster];
        let answer = webhook.review(review).await;
        let mut tally = self.tally.lock().expect("nothing panics while it counts");
        match &answer {
            Ok(answer) => tally.add(answer),
            Err(_) => tally.unanswered += 1,
        }
        drop(tally);
        answer
    }

    /// The same review to every cluster.
    pub(super) async fn review_everywhere(&self, review: &Value) -> anyhow::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for cluster in 0..self.clusters.len() {
            answers.push(self.review(cluster, review).await?);
        }
        Ok(answers)
    }

    /// Waits for the stream's review to this cluster to be answered, and keeps it from sending more while held.
    pub(super) async fn pause(&self, cluster: usize) -> OwnedMutexGuard<()> {
        self.clusters[cluster].1.clone().lock_owned().await
    }

    /// Sends failing reviews to all clusters until shutdown; the last one is answered before this returns.
    pub(super) async fn stream(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut workloads = Workloads::new(2)?;
        let mut random = Random::new(3);
        while !shutdown.is_cancelled() {
            let cluster = random.below(3) as usize;
            match self.clusters[cluster].1.clone().try_lock_owned() {
                // An answer that does not come is counted; the step that stopped the agent says whether that is right.
                Ok(_turn) => drop(self.review(cluster, &workloads.next_bad()).await),
                Err(_) => tokio::task::yield_now().await,
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

impl Tally {
    fn add(&mut self, answer: &Answer) {
        self.reviews += 1;
        self.failing += u64::from(!answer.codes.is_empty());
        self.denied += u64::from(!answer.allowed);
        for code in &answer.codes {
            *self.by_code.entry(code.clone()).or_default() += 1;
        }
    }
}
