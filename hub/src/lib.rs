//! The hub: follows a policy repository, serves signed bundles to agents, stores and shows what they report.
//!
//! Flow of a commit: [`source`] sees it -> [`publish`] checks, builds, signs -> [`assign`] tells each cluster ->
//! [`api`] answers the agents that wait. Flow of a report: [`api`] -> [`store`]. Flow of a page: [`pages`] -> [`store`].

pub mod access;
pub mod api;
pub mod app;
pub mod clock;
pub mod config;
pub mod failure;
pub mod keep;
pub mod logging;
pub mod pages;
pub mod repository;
pub mod serve;
pub mod store;
pub mod tasks;

use anyhow::Context;
use config::Config;
use tokio_util::sync::CancellationToken;
use writ_policy::Digest;

/// Runs the hub until it is told to stop or a part of it ends.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    config.validate()?;
    let keep = keep::Keep::open(&config.data)?;
    let store = store::Store::open(&keep.database()).await.context("opening the database")?;
    let access = access(&config, &store).await?;
    let app = app::App::new(app::Parts {
        store: store.clone(),
        clock: clock::Clock::default(),
        access,
        hub_key: keep.signing_key()?,
        source: app::SourceName {
            url: config.source.clone(),
            branch: config.branch.clone(),
            path: config.path.clone(),
        },
        hold: config.hold,
    });
    let listener = serve::Listener::bind(&config).await?;
    let address = listener.address.clone();
    let mut tasks = tasks::Tasks::default();
    tasks.start("serving", listener.serve(api::router(app.clone()), shutdown.clone()));
    if let Some(file) = &config.listen_file {
        serve::write_listen_file(file, &address)?;
    }
    tracing::info!(address, "the hub listens on {address}");
    let outcome = tasks.run(shutdown).await;
    store.close().await;
    outcome
}

/// Runs the hub as a process of its own: logs, and stops at Ctrl-C or SIGTERM.
pub async fn main_with(config: Config) -> anyhow::Result<()> {
    logging::start(config.log_format, &config.log)?;
    // Fails only when it was installed before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let shutdown = CancellationToken::new();
    let mut tasks = tasks::Tasks::default();
    tasks.start("waiting for a signal", stop_at_signal(shutdown.clone()));
    tasks.start("the hub", run(config, shutdown.clone()));
    tasks.run(shutdown).await
}

async fn stop_at_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
        () = shutdown.cancelled() => {}
    }
    Ok(())
}

/// How people are let in; makes the admin token at the first start that needs one, and shows it this once.
async fn access(config: &Config, store: &store::Store) -> anyhow::Result<access::Access> {
    const SETTING: &str = "admin_token";
    let https = config.tls_cert.is_some();
    if let Some(file) = &config.admin_token_file {
        let token = config::read_secret(file)?;
        anyhow::ensure!(token.len() >= 20, "the admin token in {} has less than 20 characters", file.display());
        return Ok(access::Access::by_admin_token(Digest::of(token), https));
    }
    if config.listen.ip().is_loopback() {
        return Ok(access::Access::open_on_loopback());
    }
    if let Some(digest) = store.setting(SETTING).await? {
        return Ok(access::Access::by_admin_token(digest.parse()?, https));
    }
    let token = access::random_secret();
    let digest = Digest::of(&token);
    store.save_setting(SETTING, &digest.to_string()).await?;
    show_once(&token);
    Ok(access::Access::by_admin_token(digest, https))
}

#[expect(clippy::print_stderr, reason = "for the person at the terminal, kept out of the log")]
fn show_once(token: &str) {
    eprintln!("The admin token of this hub, shown only now: {token}");
}
