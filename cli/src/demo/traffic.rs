//! What happens in the demo's clusters: people and pipelines apply workloads, most of them sound.

use super::random::Random;
use super::review;
use super::samples::{self, Sample};
use super::webhook::Webhook;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two reviews once the pages have something to show.
const CALM: Duration = Duration::from_millis(300);
/// Between two reviews at first.
const BRISK: Duration = Duration::from_millis(40);
/// How many reviews are brisk.
const FIRST: u32 = 250;

/// A source of reviews.
#[derive(Debug)]
pub(crate) struct Workloads {
    samples: Vec<Sample>,
    random: Random,
}

impl Workloads {
    pub(crate) fn new(seed: u64) -> anyhow::Result<Self> {
        Ok(Self { samples: samples::all()?, random: Random::new(seed) })
    }

    /// The next review of a cluster (its place in [`super::cluster::CLUSTERS`]).
    pub(crate) fn next(&mut self, cluster: usize) -> Value {
        let Self { samples, random } = self;
        let sample = by_share(samples, random.below(100));
        let is_bad = random.below(100) < sample.bad_share[cluster];
        let object = random.pick(if is_bad { &sample.bad } else { &sample.good });
        let is_new = random.below(100) < 40;
        if is_new {
            review::create(object, sample.namespace, sample.user)
        } else {
            review::update(object, sample.namespace, sample.user)
        }
    }

    /// The next review that at least one policy objects to.
    pub(crate) fn next_bad(&mut self) -> Value {
        let Self { samples, random } = self;
        let sample = by_share(samples, random.below(100));
        review::create(random.pick(&sample.bad), sample.namespace, sample.user)
    }

    /// Which cluster is next: development is busier than production.
    pub(crate) fn cluster(&mut self) -> usize {
        match self.random.below(10) {
            0..5 => 0,
            5..8 => 1,
            _ => 2,
        }
    }
}

fn by_share(samples: &[Sample], mut chance: u32) -> &Sample {
    for sample in samples {
        if chance < sample.share {
            return sample;
        }
        chance -= sample.share;
    }
    &samples[0]
}

/// Sends reviews until shutdown. An agent that is away is the API server's concern (its failure policy), not ours.
pub(crate) async fn run(webhooks: Vec<Webhook>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut workloads = Workloads::new(jiff::Timestamp::now().as_millisecond().unsigned_abs())?;
    let mut sent = 0u32;
    while !shutdown.is_cancelled() {
        let cluster = workloads.cluster();
        let review = workloads.next(cluster);
        let _ = webhooks[cluster].review(&review).await;
        sent = sent.saturating_add(1);
        let pause = if sent < FIRST { BRISK } else { CALM };
        let _ = shutdown.run_until_cancelled(sleep(pause)).await;
    }
    Ok(())
}
