//! `writ demo --check`: the demo's story without a person, each step proved. Runs in a folder and on ports of its own.

mod commits;
mod driver;
mod outage;
mod policy;
mod report;
mod speed;

use super::fleet::Fleet;
use super::folder::Folder;
use super::ports::{Port, Ports};
use super::{demo_identity, folder, history, samples};
use crate::arguments::Demo;
use crate::exit::{DONE, FAILED, Outcome};
use crate::{init, terminal};
use anyhow::Context;
use driver::Driver;
use report::Report;
use std::path::Path;
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

/// Runs the scenario. A temporary folder is kept when a step fails, so that its logs can be read.
pub(crate) async fn run(options: &Demo, shutdown: CancellationToken) -> Outcome {
    let (dir, temporary) = match &options.dir {
        Some(dir) => (std::path::absolute(dir).context("could not name the demo's folder")?, None),
        None => {
            let made = tempfile::Builder::new().prefix("writ-demo-").tempdir().context("could not make a folder")?;
            (made.path().to_owned(), Some(made))
        }
    };
    init::refuse_used(&dir)?;
    let ended = shutdown.run_until_cancelled(play(options, &dir)).await;
    if !matches!(ended, Some(Ok(true))) {
        let _kept = temporary.map(tempfile::TempDir::keep);
        terminal::complain(&format!("Logs and data are kept in {}", dir.display()));
    }
    match ended {
        Some(Ok(true)) => Ok(DONE),
        Some(Ok(false)) | None => Ok(FAILED),
        Some(Err(error)) => Err(error),
    }
}

/// Whether every step was as it should be.
async fn play(options: &Demo, dir: &Path) -> anyhow::Result<bool> {
    let mut scenario = start(dir, options.port.unwrap_or(0)).await?;
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

async fn start(dir: &Path, port: Port) -> anyhow::Result<Scenario> {
    let started = Instant::now();
    let folder = Folder::open(dir)?;
    folder::write(&folder.namespaces().join("namespaces.yaml"), samples::NAMESPACES)?;
    history::lay_down(&folder.policies(), &demo_identity(), jiff::Timestamp::now().as_second())?;
    author::set_identity(&folder.policies(), &demo_identity())?;
    let fleet = Fleet::start(&folder, Ports::new(port)?).await?;
    let revision = fleet.settled().await?;
    let driver = Driver::new(fleet.webhooks());
    let mut report = Report::default();
    let took = started.elapsed().as_millis();
    report.step("start", true, format!("a hub and 3 agents enforce {} after {took} ms", &revision[..10]))?;
    Ok(Scenario { folder, fleet, driver, report })
}
