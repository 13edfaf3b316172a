//! One agent: enrolls, sends a report, waits until it is acknowledged, and sends it again when it was not.

use super::Tally;
use super::report::{Shape, Writer};
use anyhow::{Context, ensure};
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use writ_policy::wire;

#[derive(Debug)]
pub(crate) struct Agent {
    client: Client,
    reports: String,
    credential: String,
    writer: Writer,
    pub(super) first: Duration,
    pub(super) until: Duration,
}

impl Agent {
    /// A new agent of the cluster with this number.
    pub(super) async fn enroll(client: Client, hub: &str, index: usize, shape: Shape) -> anyhow::Result<Self> {
        let cluster = format!("cluster-{index:04}");
        let made: Value =
            post(&client, &format!("{hub}/api/v1/enrollment-tokens"), &json!({ "cluster": cluster })).await?;
        let token = made["token"].as_str().context("the hub made no token")?;
        let body = json!({ "token": token, "version": "measure" });
        let enrolled: Value = post(&client, &format!("{hub}{}", wire::ENROLL), &body).await?;
        let credential = enrolled["credential"].as_str().context("the hub gave no credential")?.to_owned();
        let reports = format!("{hub}{}", wire::REPORTS);
        let writer = Writer::new(index as u64, shape);
        Ok(Self { client, reports, credential, writer, first: Duration::ZERO, until: Duration::ZERO })
    }

    /// Sends until the time is over; without a pause the next report follows the acknowledgement.
    pub(super) async fn run(
        mut self,
        started: Instant,
        pause: Option<Duration>,
        tally: Arc<Mutex<Tally>>,
    ) -> anyhow::Result<()> {
        let mut due = started + self.first;
        while started.elapsed() < self.until {
            if let Some(pause) = pause {
                tokio::time::sleep_until(due.into()).await;
                due += pause;
            }
            let now = jiff::Timestamp::now().as_millisecond();
            let (body, rows) = self.writer.next(now);
            self.send(body, rows, started, &tally).await?;
        }
        Ok(())
    }

    /// One report, until it is stored or the time is over.
    async fn send(&self, body: Vec<u8>, rows: u64, started: Instant, tally: &Mutex<Tally>) -> anyhow::Result<()> {
        let body = bytes::Bytes::from(body);
        while started.elapsed() < self.until {
            let asked = Instant::now();
            let request = self.client.post(&self.reports).bearer_auth(&self.credential);
            let request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
            let answer = request.send().await;
            let took = asked.elapsed();
            let wait = match answer {
                Ok(answer) if answer.status().is_success() => {
                    answer.bytes().await?;
                    let mut tally = tally.lock().expect("nothing panics with it");
                    tally.rows += rows;
                    tally.reports += 1;
                    tally.latencies.add(took);
                    return Ok(());
                }
                Ok(answer)
                    if matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) =>
                {
                    tally.lock().expect("nothing panics with it").refused_for_now += 1;
                    let after =
                        answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                    Duration::from_secs(after.unwrap_or(1))
                }
                Ok(answer) => {
                    let status = answer.status();
                    anyhow::bail!("a report was refused: {status} {}", answer.text().await.unwrap_or_default())
                }
                Err(_) => {
                    tally.lock().expect("nothing panics with it").failed += 1;
                    Duration::from_millis(500)
                }
            };
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

async fn post(client: &Client, url: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = client.post(url).json(body).send().await?;
    let status = answer.status();
    ensure!(status.is_success(), "{url}: {status} {}", answer.text().await.unwrap_or_default());
    Ok(answer.json().await?)
}
