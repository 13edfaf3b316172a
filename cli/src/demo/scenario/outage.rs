//! Steps: the hub is killed under a stream of failing reviews, an agent starts without it, it comes back, and every
//! failure is in its database exactly once.

use super::Scenario;
use super::driver::{Driver, Tally};
use crate::client::answers::Counts;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How long reviews flow in each phase of the outage.
const PHASE: Duration = Duration::from_millis(1_500);
/// How long the agents may take to hand over what they kept.
const DRAIN: Duration = Duration::from_secs(60);
/// After the counts agree, they must still agree: a report that is stored twice would show late.
const QUIET: Duration = Duration::from_millis(2_500);

pub(super) async fn kill_the_hub(scenario: &mut Scenario) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut stream = JoinSet::new();
    stream.spawn(scenario.driver.clone().stream(stop.clone()));
    sleep(PHASE).await;

    if let Some(hub) = scenario.fleet.hub_process.take() {
        hub.kill().await?;
    }
    let (before, away) = phase(&scenario.driver).await;
    let decided = away.reviews - before.reviews;
    let is_deciding = decided > 0 && away.unanswered == before.unanswered;
    let detail = format!("kill -9; {decided} reviews decided in the {:.1} s after it", PHASE.as_secs_f64());
    scenario.report.step("hub killed", is_deciding, detail)?;

    restart_an_agent(scenario).await?;

    scenario.fleet.restart_hub(&scenario.folder).await?;
    sleep(PHASE).await;
    stop.cancel();
    while let Some(ended) = stream.join_next().await {
        ended??;
    }
    compare(scenario).await
}

async fn phase(driver: &Driver) -> (Tally, Tally) {
    let before = driver.tally();
    sleep(PHASE).await;
    (before, driver.tally())
}

/// Stops an agent and starts it again while the hub is away: it decides with what it has on disk.
async fn restart_an_agent(scenario: &mut Scenario) -> anyhow::Result<()> {
    const CLUSTER: usize = 0;
    let turn = scenario.driver.pause(CLUSTER).await;
    if let Some(agent) = scenario.fleet.agents[CLUSTER].process.take() {
        agent.stop().await?;
    }
    let started = Instant::now();
    scenario.fleet.restart_agent(&scenario.folder, CLUSTER).await?;
    let took = started.elapsed().as_millis();
    drop(turn);
    let (before, after) = phase(&scenario.driver).await;
    let is_deciding = after.reviews > before.reviews && after.unanswered == before.unanswered;
    let detail = format!("stopped and started without a hub; it listens after {took} ms and decides");
    scenario.report.step("agent restarted", is_deciding, detail)
}

/// Waits until the hub's sums are the driver's, then makes sure that they stay so.
async fn compare(scenario: &mut Scenario) -> anyhow::Result<()> {
    let tally = scenario.driver.tally();
    let deadline = Instant::now() + DRAIN;
    let mut counts = scenario.fleet.hub.counts().await?;
    while !agrees(&tally, &counts) && Instant::now() < deadline {
        sleep(Duration::from_millis(100)).await;
        counts = scenario.fleet.hub.counts().await?;
    }
    sleep(QUIET).await;
    let counts = scenario.fleet.hub.counts().await?;
    let is_same = agrees(&tally, &counts);
    let detail = format!(
        "reviews {} answered, {} counted; denied {} and {}; failures {} answered, {} stored",
        tally.reviews,
        counts.reviews,
        tally.denied,
        counts.denied_reviews,
        tally.failures(),
        counts.failures
    );
    scenario.report.step("none lost or doubled", is_same, detail)?;
    for (code, answered) in &tally.by_code {
        let stored = counts.of(code);
        let detail = format!("{answered} answered, {stored} stored");
        scenario.report.step(&format!("  {code}"), *answered == stored, detail)?;
    }
    Ok(())
}

fn agrees(tally: &Tally, counts: &Counts) -> bool {
    let totals = (tally.reviews, tally.failing, tally.denied, tally.failures());
    totals == (counts.reviews, counts.failing_reviews, counts.denied_reviews, counts.failures)
        && tally.by_code.iter().all(|(code, answered)| counts.of(code) == *answered)
}
