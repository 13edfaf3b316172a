//! The hub: follows a policy repository, serves signed bundles to agents, stores and shows what they report.
//!
//! Flow of a commit: [`source`] sees it -> [`publish`] checks, builds, signs -> [`assign`] tells each cluster ->
//! [`api`] answers the agents that wait. Flow of a report: [`api`] -> [`store`]. Flow of a page: [`pages`] -> [`store`].

pub mod access;
pub mod api;
pub mod app;
pub mod assign;
pub mod backup;
pub mod board;
pub mod checkpoint;
pub mod clock;
pub mod config;
pub mod failure;
pub mod finding;
pub mod fold;
pub mod heartbeat;
pub mod ingest;
pub mod keep;
pub mod keys;
pub mod leader;
pub mod logging;
pub mod metrics;
pub mod migrate;
pub mod movement;
pub mod pages;
pub mod partitions;
pub mod publish;
pub mod push;
pub mod replica;
pub mod repository;
pub mod retention;
pub mod rollout;
pub mod rotate;
pub mod serve;
pub mod shelf;
pub mod source;
pub mod status;
pub mod store;
pub mod tasks;

use anyhow::Context;
use app::App;
use arc_swap::ArcSwap;
use board::Board;
use clock::Clock;
use config::Config;
use heartbeat::Heartbeats;
use ingest::intake::{Intake, Waiting};
use keep::Keep;
use keys::Keys;
use metrics::Metrics;
use push::Gatekeeper;
use source::Follower;
use std::time::Duration;
use store::Store;
use tasks::Tasks;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use writ_policy::Digest;
use writ_runtime::SelfTest;

/// What the check of a commit may take: a commit that needs more is refused.
const CHECK_TIMEOUT: Duration = Duration::from_secs(60);
const CHECK_MEMORY: u64 = 2 << 30;
/// How long threads that still block may take once everything else has ended.
const GRACE: Duration = Duration::from_secs(1);

/// A hub that is ready to run.
#[derive(Debug)]
pub struct Hub {
    /// What its handlers share.
    pub app: App,
    /// Follows the source.
    pub follower: Follower,
    /// Reports that wait for `ingest::writer`.
    pub reports: Receiver<Waiting>,
    /// Holds the data folder.
    _keep: Keep,
}

impl Hub {
    /// Opens the data folder, the database and the mirror.
    pub async fn open(config: &Config, clock: Clock, shutdown: CancellationToken) -> anyhow::Result<Self> {
        config.validate()?;
        let keep = Keep::open(&config.data)?;
        let lines = source::lines(&config.source, &keep, &shutdown)?;
        let store = Store::open(&config.database(&keep)?).await.context("opening the database")?;
        let access = access(config, &store).await?;
        let keys = Keys::open(config, &keep, &store).await?;
        publish::sign_anew(&store, keys.signing()).await?;
        let mut names = lines.iter().map(|line| line.name().clone());
        let (intake, reports) = Intake::new(config);
        let app = App::new(app::Parts {
            store,
            clock,
            access,
            keys,
            author_key: config.source.author()?,
            source: names.next().context("there is a source")?,
            further: names.collect(),
            source_state: ArcSwap::default(),
            self_test: self_test(config)?,
            class_test: self_test(config)?,
            lead: app::Lead::default(),
            board: Board::default(),
            shelf: shelf::Shelf::default(),
            assign_wanted: Notify::new(),
            look_wanted: Notify::new(),
            push: Gatekeeper::new(config.source.webhook_secret_file.clone())?,
            heartbeats: Heartbeats::default(),
            intake,
            metrics: Metrics::default(),
            hold: config.hold,
            credential_ttl: config.credential_ttl,
            accept_agents: config.accept_agents,
            shutdown,
        });
        let follower = Follower::new(app.clone(), lines);
        Ok(Self { app, follower, reports, _keep: keep })
    }

    /// Its routes.
    pub fn routes(&self) -> axum::Router {
        api::router(self.app.clone())
    }
}

/// Runs the hub until it is told to stop or a part of it ends.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    // Fails only when it was installed before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let hub = Hub::open(&config, Clock::default(), shutdown.clone()).await?;
    let listener = serve::Listener::bind(&config).await?;
    let address = listener.address.clone();
    let routes = hub.routes();
    let Hub { app, follower, reports, _keep } = hub;
    let mut tasks = Tasks::default();
    tasks.start("serving", listener.serve(routes, shutdown.clone()));
    let leading = (config.source.poll, config.keeping);
    tasks.start("leading", leader::run(app.clone(), follower, leading, shutdown.clone()));
    tasks.start("following other hubs", replica::run(app.clone(), shutdown.clone()));
    tasks.start("writing reports", ingest::writer::run(app.clone(), reports, shutdown.clone()));
    tasks.start("folding counts into sums", fold::run(app.clone(), shutdown.clone()));
    tasks.start("taking the journal into the file", checkpoint::run(app.clone(), shutdown.clone()));
    tasks.start("writing heartbeats", heartbeat::run(app.clone(), shutdown.clone()));
    if let Some(file) = &config.listen_file {
        serve::write_listen_file(file, &address)?;
    }
    tracing::info!(address, source = app.source.url, "the hub listens on {address}");
    let outcome = tasks.run(shutdown).await;
    app.store.close().await;
    outcome
}

fn self_test(config: &Config) -> anyhow::Result<SelfTest> {
    let program = match config.check_in_process {
        true => None,
        false => Some(std::env::current_exe().context("finding this program, to check policies in a child of it")?),
    };
    Ok(SelfTest::new(program, CHECK_TIMEOUT, CHECK_MEMORY))
}

/// Runs the hub as a process of its own: logs, and stops at Ctrl-C or SIGTERM.
pub fn main_with(config: Config) -> anyhow::Result<()> {
    stay_small();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let outcome = runtime.block_on(run_until_signal(config));
    // A fetch that hangs (a disk that is away) cannot be told to end.
    runtime.shutdown_timeout(GRACE);
    outcome
}

/// The allocator asks for huge pages, of which every thread then touches a few: some 20 MB. A kernel that knows no such
/// request is no reason to stop.
fn stay_small() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

async fn run_until_signal(config: Config) -> anyhow::Result<()> {
    logging::start(config.log_format, &config.log)?;
    let shutdown = CancellationToken::new();
    let mut tasks = Tasks::default();
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
        return Ok(access::Access::by_admin_token(Digest::of(token.trim()), https));
    }
    if config.listen.ip().is_loopback() {
        return Ok(access::Access::open_on_loopback());
    }
    if let Some(digest) = store.setting(SETTING).await? {
        return Ok(access::Access::by_admin_token(digest.parse()?, https));
    }
    let token = access::random_secret();
    let digest = Digest::of(&token);
    let kept = store.add_setting(SETTING, &digest.to_string()).await?;
    // Another hub that started at the same moment may have shown its own.
    if kept == digest.to_string() {
        show_once(&token);
    }
    Ok(access::Access::by_admin_token(kept.parse()?, https))
}

#[expect(clippy::print_stderr, reason = "for the person at the terminal, kept out of the log")]
fn show_once(token: &str) {
    eprintln!("The admin token of this hub, shown only now: {token}");
}
