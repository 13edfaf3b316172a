//! The process around the agent: logging, a small runtime, signals, the exit code.

use crate::config::Config;
use crate::{agent, log};
use anyhow::Context;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// Runs until a signal or until a loop ends.
pub fn main_with(config: Config) -> ExitCode {
    stay_small();
    let started = log::start(&config.log, config.log_format).and_then(|()| runtime());
    let ended = started.and_then(|runtime| {
        let ended = runtime.block_on(run_until_signal(config));
        runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!("the agent ended: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

/// The allocator asks for huge pages, of which every thread then touches a few: some 25 MB for the 7 MB that an agent
/// uses. A kernel that knows no such request is no reason to stop.
fn stay_small() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Two threads carry sockets and timers; policies are evaluated on threads of their own.
fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).max_blocking_threads(4).enable_all();
    builder.build().context("starting the runtime")
}

async fn run_until_signal(config: Config) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for signals")?;
    let running = agent::run(config, shutdown.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    info!("stopping: answering what is in flight and keeping reports");
    shutdown.cancel();
    running.await
}
