//! Cards in Slack channels: the administrators', which hears of everything, and the namespace's own, where its owners
//! opted in. Off the request path, bounded by channel, the same words once in ten minutes.

mod address;
mod repeats;

pub use address::Addresses;

use super::card::{Place, card};
use super::{Bucket, Notice, TIMEOUT};
use crate::metrics::Metrics;
use crate::status::Status;
use crate::{clock, log_chain};
use anyhow::{Context, bail};
use futures::future::BoxFuture;
use repeats::{Repeats, Seen};
use reqwest::{Client, StatusCode, header};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use url::Url;

/// Messages to one channel: so many at once, then one every two seconds.
const BY_CHANNEL: (i64, i64) = (10, 2_000);
/// Cards that are on their way at a time.
const IN_FLIGHT: usize = 8;
/// How often a card is tried.
const TRIES: u32 = 3;
/// The longest that a channel may ask to be left alone before a card is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often it is looked for what was said again.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The most channels whose rate is remembered.
const MOST_CHANNELS: usize = 1_024;

/// Finds the webhook URL of a namespace's own channel: the text of its Secret, where its owners opted in.
pub type Channels = Arc<dyn Fn(String) -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// Tells Slack.
pub struct Slack {
    /// Which URLs may be called.
    pub addresses: Addresses,
    /// The administrators' channel.
    pub default: Option<Url>,
    /// The namespaces' own.
    pub channels: Option<Channels>,
    /// Whether requests that went through are told of.
    pub passive: bool,
    /// The cluster's name and deny level.
    pub status: Arc<Status>,
    /// What was sent and dropped.
    pub metrics: Arc<Metrics>,
}

impl Slack {
    /// Tells until shutdown.
    pub async fn run(self, mut queue: mpsc::Receiver<Arc<Notice>>, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut sending = Sending::new(&self)?;
        let mut repeats = Repeats::default();
        let mut look_at = Instant::now() + LOOK_EVERY;
        loop {
            tokio::select! {
                notice = queue.recv() => match notice {
                    None => break,
                    Some(notice) if notice.is_heard() || !(notice.denied || self.passive) => {}
                    Some(notice) => match repeats.see(&notice, clock::now()) {
                        Seen::First => self.tell(&mut sending, &notice, 1).await,
                        Seen::Again => {}
                        Seen::TooMany => self.metrics.slack.dropped(),
                    },
                },
                () = tokio::time::sleep_until(look_at) => {
                    look_at = Instant::now() + LOOK_EVERY;
                    for (notice, times) in repeats.over(clock::now()) {
                        self.tell(&mut sending, &notice, times).await;
                    }
                }
                () = shutdown.cancelled() => break,
            }
        }
        sending.cards.shutdown().await;
        shutdown.cancelled().await;
        Ok(())
    }

    async fn tell(&self, sending: &mut Sending, notice: &Notice, times: u32) {
        let own = self.own_channel(notice).await;
        let assignment = self.status.assignment();
        let cluster = assignment.as_ref().map_or("unknown", |told| told.cluster.as_str());
        let deny_level = assignment.as_ref().map_or("unknown", |told| told.settings.deny_level.as_str());
        let card = card(notice, &Place { cluster, deny_level, customer: own.is_some() }, times);
        for channel in [&self.default, &own].into_iter().flatten() {
            sending.send(channel, card.clone()).await;
        }
    }

    async fn own_channel(&self, notice: &Notice) -> Option<Url> {
        let channels = self.channels.as_ref().filter(|_| !notice.namespace.is_empty())?;
        let written = channels(notice.namespace.clone()).await?;
        match self.addresses.of(&written) {
            Ok(url) => Some(url),
            Err(reason) => {
                self.metrics.slack.dropped();
                warn!(namespace = notice.namespace, "the Slack channel of a namespace is not told: {reason}");
                None
            }
        }
    }
}

/// Cards on their way.
struct Sending {
    client: Client,
    buckets: HashMap<Url, Bucket>,
    cards: JoinSet<()>,
    metrics: Arc<Metrics>,
}

impl Sending {
    fn new(slack: &Slack) -> anyhow::Result<Self> {
        // A redirect would lead to hosts that nobody allowed.
        let client = Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.context("making a client for Slack")?;
        Ok(Self { client, buckets: HashMap::new(), cards: JoinSet::new(), metrics: slack.metrics.clone() })
    }

    async fn send(&mut self, channel: &Url, card: Value) {
        let now = clock::now();
        if self.buckets.len() >= MOST_CHANNELS {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        let new = || Bucket::new(BY_CHANNEL.0, BY_CHANNEL.1);
        while self.cards.try_join_next().is_some() {}
        let has_room = self.cards.len() < IN_FLIGHT * TRIES as usize;
        if !has_room || !self.buckets.entry(channel.clone()).or_insert_with(new).take(now) {
            self.metrics.slack.dropped();
            return;
        }
        if self.cards.len() >= IN_FLIGHT {
            self.cards.join_next().await;
        }
        let (client, channel, metrics) = (self.client.clone(), channel.clone(), self.metrics.clone());
        self.cards.spawn(async move {
            match post(&client, &channel, &card).await {
                Ok(()) => metrics.slack.told(),
                Err(problem) => {
                    metrics.slack.dropped();
                    // The URL is a secret; reqwest writes it into its errors.
                    warn!(error = log_chain(&problem), "a Slack channel could not be told");
                }
            }
        });
    }
}

/// Posts a card, again when that may help.
async fn post(client: &Client, channel: &Url, card: &Value) -> anyhow::Result<()> {
    let mut pause = Duration::from_millis(500);
    for attempt in 1..=TRIES {
        let sent = client.post(channel.clone()).json(card).send().await.map_err(reqwest::Error::without_url);
        let problem = match sent {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                pause = retry_after(&answer).unwrap_or(pause);
                anyhow::anyhow!("the channel has too many messages")
            }
            Ok(answer) if answer.status().is_server_error() => anyhow::anyhow!("it answered {}", answer.status()),
            Ok(answer) => bail!("it answered {}", answer.status()),
            Err(problem) => problem.into(),
        };
        if attempt == TRIES {
            return Err(problem);
        }
        tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        pause *= 2;
    }
    Ok(())
}

fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
