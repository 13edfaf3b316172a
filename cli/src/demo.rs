//! `writ demo`: a policies repository, a hub and three clusters on this machine, with something going on in them.

mod child;
mod cluster;
mod fleet;
mod folder;
mod history;
mod ports;
mod random;
mod review;
mod samples;
mod scenario;
mod story;
mod supervisor;
mod traffic;
mod webhook;

use crate::arguments::Demo;
use crate::exit::{DONE, Outcome};
use crate::terminal::{self, dim};
use anyhow::Context;
use fleet::Fleet;
use folder::Folder;
use ports::Ports;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writ_hub::repository::author::{self, AuthorError, Identity};

/// Runs until Ctrl-C, or the unattended scenario until its end.
pub(crate) async fn run(options: Demo) -> Outcome {
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(cancel_at_signal(shutdown.clone()));
    if options.check { scenario::run(&options, shutdown).await } else { attended(&options, shutdown).await }
}

async fn cancel_at_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    shutdown.cancel();
    Ok(())
}

async fn attended(options: &Demo, shutdown: CancellationToken) -> Outcome {
    let root = std::path::absolute(options.dir.as_deref().unwrap_or(Path::new(DEFAULT_DIR)))
        .context("could not name the demo's folder")?;
    let folder = Folder::open(&root)?;
    let ports = Ports::new(options.port.unwrap_or(DEFAULT_PORT))?;
    if let Some(note) = prepare(&folder)? {
        terminal::say(&note)?;
    }
    terminal::say(&format!("Starting a hub and three clusters in {} ...", cluster::typed(folder.root())))?;
    let started = async {
        let fleet = Fleet::start(&folder, ports).await?;
        let revision = fleet.settled().await?;
        Ok::<_, anyhow::Error>((fleet, revision))
    };
    // Dropped in the middle of its start, the fleet is killed with it.
    let Some(started) = shutdown.run_until_cancelled(started).await else { return Ok(DONE) };
    let (mut fleet, revision) = started?;
    let revision = revision.get(..10).unwrap_or(&revision);
    terminal::say(&story::tell(&folder, &fleet.hub, &fleet.webhooks(), revision))?;
    let ended = keep_going(&mut fleet, &folder, &shutdown).await;
    terminal::say(&dim("\nStopping ..."))?;
    fleet.stop().await?;
    ended.map(|()| DONE)
}

/// Traffic and supervision, until Ctrl-C or until one of them cannot go on.
async fn keep_going(fleet: &mut Fleet, folder: &Folder, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut traffic = JoinSet::new();
    traffic.spawn(traffic::run(fleet.webhooks(), shutdown.clone()));
    tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        ended = supervisor::run(fleet, folder) => ended,
        Some(ended) = traffic.join_next() => ended?,
    }
}

/// Lays down what is not there yet. The note, if any, is for the person.
fn prepare(folder: &Folder) -> anyhow::Result<Option<String>> {
    folder::write(&folder.namespaces().join("namespaces.yaml"), samples::NAMESPACES)?;
    story::write_review(folder)?;
    let policies = folder.policies();
    if policies.join(".git").exists() {
        return Ok(None);
    }
    let (identity, note) = identity(folder.root())?;
    let now = jiff::Timestamp::now().as_second();
    history::lay_down(&policies, &identity, now)?;
    if note.is_some() {
        author::set_identity(&policies, &identity)?;
    }
    Ok(note)
}

/// Git's own identity, or one for the demo's repository alone, so that `git commit` works in it.
fn identity(dir: &Path) -> anyhow::Result<(Identity, Option<String>)> {
    match author::identity(dir) {
        Ok(identity) => Ok((identity, None)),
        Err(AuthorError::NoIdentity) => {
            let identity = demo_identity();
            let note = format!(
                "git does not know who you are, so commits in the demo's repository are by {} <{}>; \
                 `git config --global user.name` and `user.email` set your own.",
                identity.name, identity.email
            );
            Ok((identity, Some(note)))
        }
        Err(error) => Err(error.into()),
    }
}

fn demo_identity() -> Identity {
    Identity { name: "Writ Demo".into(), email: "demo@writ.example".into() }
}

/// The folder when none is asked for.
const DEFAULT_DIR: &str = "./writ-demo";
/// The hub's port when none is asked for.
const DEFAULT_PORT: ports::Port = 8420;
