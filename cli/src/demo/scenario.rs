//! `writ demo --check`: the demo's story without a person, each step proved. Runs in a folder and on ports of its own.

mod commits;
mod driver;
mod outage;
mod policy;
mod report;
mod speed;

use super::fleet::Fleet;
use super::folder::Folder;
use super::ports::Ports;
use super::{demo_identity, folder, history, samples};
use crate::arguments::Demo;
use crate::exit::{DONE, FAILED, Outcome};
use crate::terminal;
use anyhow::Context;
use driver::Driver;
use report::Report;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use writ_hub::repository::author;

/// The running fleet, the driver that sends reviews and counts the answers, and what was proved so far.
pub(crate) struct Scenario {
    folder: Folder,
    fleet: Fleet,
    driver: Driver,
    report: Report,
}

/// Runs the scenario. The folder is kept when a step fails, so that its logs can be read.
pub(crate) async fn run(options: &Demo, shutdown: CancellationToken) -> Outcome {
    let dir = tempfile::Builder::new().prefix("writ-demo-").tempdir().context("could not make a folder")?;
    let ended = shutdown.run_until_cancelled(play(options, &dir)).await;
    let is_good = matches!(ended, Some(Ok(true)));
    if !is_good {
        let kept = dir.keep();
        terminal::complain(&format!("Logs and data are kept in {}", kept.display()));
    }
    match ended {
        Some(Ok(true)) => Ok(DONE),
        Some(Ok(false)) | None => Ok(FAILED),
        Some(Err(error)) => Err(error),
    }
}

/// Whether every step was as it should be.
async fn play(options: &Demo, dir: &tempfile::TempDir) -> anyhow::Result<bool> {
    let mut scenario = start(dir).await?;
    let played = steps(&mut scenario, options.commits).await;
    let Scenario { fleet, report, .. } = scenario;
    fleet.stop().await?;
    played?;
    Ok(report.is_good())
}

async fn steps(scenario: &mut Scenario, commits: u32) -> anyhow::Result<()> {
    policy::commit_and_revert(scenario).await?;
    policy::bad_rego(scenario).await?;
    outage::kill_the_hub(scenario).await?;
    speed::measure(scenario, commits).await
}

async fn start(dir: &tempfile::TempDir) -> anyhow::Result<Scenario> {
    let started = Instant::now();
    let folder = Folder::open(dir.path())?;
    folder::write(&folder.namespaces().join("namespaces.yaml"), samples::NAMESPACES)?;
    history::lay_down(&folder.policies(), &demo_identity(), jiff::Timestamp::now().as_second())?;
    author::set_identity(&folder.policies(), &demo_identity())?;
    let fleet = Fleet::start(&folder, Ports::new(0)?).await?;
    let revision = fleet.settled().await?;
    let driver = Driver::new(fleet.webhooks());
    let mut report = Report::default();
    let took = started.elapsed().as_millis();
    report.step("start", true, format!("a hub and 3 agents enforce {} after {took} ms", &revision[..10]))?;
    Ok(Scenario { folder, fleet, driver, report })
}
