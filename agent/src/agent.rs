//! The wiring: what is made, in which order, and which loops run. The last good bundle is enforced before the hub is
//! contacted and before a port is open; the first loop to end ends the process.

mod telling;

use crate::alone::Alone;
use crate::audit::{Auditor, Stored};
use crate::cache::Cache;
use crate::certificate::folder::{self, CertificateFolder};
use crate::config::Config;
use crate::enforcer::{Authority, Enforcer};
use crate::fatal::{self, Fatal};
use crate::follow::Follow;
use crate::health::{self, Health};
use crate::hub::Hub;
use crate::kubernetes::inventory::ClusterInventory;
use crate::kubernetes::watches::Watches;
use crate::kubernetes::{Care, Cluster, lease};
use crate::metrics::Metrics;
use crate::namespaces::{KnownNamespaces, NamespaceFolder};
use crate::registered::Registration;
use crate::report::Gather;
use crate::report::send::Sender;
use crate::report::spool::Spool;
use crate::share::Share;
use crate::status::Status;
use crate::wanted::Wanted;
use crate::webhook::Webhook;
use crate::{clock, disk, identity, server, tls};
use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;
use writ_policy::wire::Enrolled;
use writ_runtime::{Evaluator, EvaluatorConfig, Inventory, SelfTest};

/// Reviews that may wait for each evaluation thread.
const QUEUE_PER_WORKER: usize = 64;
/// The longest that a bundle's check and tests may take.
const SELF_TEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The most memory that they may take, in bytes.
const SELF_TEST_MEMORY: u64 = 1 << 30;

/// Runs the agent until shutdown or until one of its loops ends. Policies are tested by this very program as a child.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    run_with(config, shutdown, own_program()?).await
}

/// This very program, even when its file was replaced meanwhile.
fn own_program() -> anyhow::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.into()) } else { std::env::current_exe().context("finding this program's file") }
}

/// The same, with the program that is the self-test's child.
pub async fn run_with(config: Config, shutdown: CancellationToken, child: PathBuf) -> anyhow::Result<()> {
    config.validate()?;
    tls::install_provider();
    disk::create_folder(&config.data)?;
    let _lock = disk::lock(&config.data)?;

    let status = Status::new(uuid::Uuid::now_v7(), clock::now()).of_replica(&config.cluster.replica);
    let status = status.living_in(&config.namespace);
    let health = Health { status: Arc::new(status), metrics: Arc::new(Metrics::new()) };
    let cluster = if config.standalone { None } else { Some(Cluster::connect(&config).await?) };
    let mut tasks = Tasks::new(CancellationToken::new());
    let delay = if config.standalone { Duration::ZERO } else { config.cluster.shutdown_delay };
    tasks.spawn("stop", stop_after(shutdown, delay, health.status.clone(), tasks.shutdown.clone()));
    let (want, wanted) = watch::channel(None);
    let leads = lead(cluster.as_ref(), &health, &mut tasks);
    let inventory = cluster.as_ref().map(|_| Arc::new(ClusterInventory::new(health.metrics.clone())));
    let (evaluator, namespaces) = evaluator(&config, inventory.clone())?;
    let teller = telling::teller(&config, cluster.as_ref(), namespaces, &health, &mut tasks)?;
    let identity = identity::load(&config.data)?.map(Arc::new);
    let registration = Registration::default();
    let enforcer = enforcer(&config, evaluator.clone(), &health, child, want, registration.clone())?;
    let mut enforcer = enforcer.believing(config.alone.author()?);
    let alone = config.alone.place()?;
    let trust = alone.as_ref().map(|(_, trust)| Authority::Author(trust));
    if let Some(authority) = trust.or(identity.as_deref().map(Authority::Hub)) {
        enforcer.start_from_disk(&authority).await;
    }

    let spool = Arc::new(Spool::open(&config.data, config.spool_bytes, health.metrics.clone())?);
    let (recorder, tell, gather) =
        Gather::new(spool.clone(), health.metrics.clone(), health.status.boot, config.report_every);
    let auditor = Auditor::new(evaluator.clone(), tell, health.status.clone(), health.metrics.clone());
    // What is asked of the API server at the start is bounded: what the webhook waits for comes first.
    let listening = CancellationToken::new();
    let seen = Seen { auditor: Arc::new(auditor), inventory, wanted, leads: leads.clone(), after: listening.clone() };
    if let Some(cluster) = cluster.clone().filter(|cluster| alone.is_none() && cluster.shares()) {
        share(cluster, &seen, enforcer.cache.clone(), &health, &mut tasks);
    }
    let gather = audit(&config, cluster.clone(), seen, evaluator.clone(), &health, gather, &mut tasks);
    match (alone, &config.hub) {
        (Some((place, trust)), _) => {
            let alone = Alone { place, trust, every: config.alone.bundle_every, enforcer, health: health.clone() };
            tasks.spawn("bundle", alone.run(tasks.shutdown.clone()));
            // As much of it is kept as the spool holds.
            tasks.spawn("report", gather.run());
        }
        (None, Some(url)) => {
            let hub = Hub::new(url, config.hub_ca.as_deref())?;
            report(&config, cluster.clone(), identity, &hub, enforcer, &health, (spool, gather), &mut tasks);
        }
        (None, None) => anyhow::bail!("neither --hub nor --bundle says what to enforce"),
    }
    let (fatal, raised) = Fatal::new();
    tasks.spawn("worker watch", fatal::watch(raised, tasks.shutdown.clone()));
    let webhook = Webhook::new(evaluator, recorder, health.clone(), config.failure_policy, fatal, teller);
    let own = cluster.map(|cluster| Own { cluster, leads, registration });
    listen(&config, own, webhook, health, &mut tasks).await?;
    listening.cancel();
    tasks.first_end().await
}

/// Does the work once this has happened.
async fn once(
    happened: CancellationToken,
    work: impl Future<Output = anyhow::Result<()>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = happened.cancelled() => work.await,
        () = shutdown.cancelled() => Ok(()),
    }
}

/// Once told to stop: not ready any more, so that nobody new calls, and still answering until everybody knows.
async fn stop_after(
    told: CancellationToken,
    delay: Duration,
    status: Arc<Status>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = told.cancelled() => {}
        () = stop.cancelled() => return Ok(()),
    }
    status.set_stopping();
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = stop.cancelled() => {}
    }
    stop.cancel();
    Ok(())
}

/// The agent's own objects in the cluster, and what keeping them needs.
struct Own {
    cluster: Cluster,
    leads: watch::Receiver<bool>,
    registration: Registration,
}

/// Existing objects, and what looking at them needs.
struct Seen {
    auditor: Arc<Auditor>,
    inventory: Option<Arc<ClusterInventory>>,
    wanted: watch::Receiver<Option<Wanted>>,
    leads: watch::Receiver<bool>,
    /// Not before this.
    after: CancellationToken,
}

/// The loop that keeps what is enforced where a replica with an empty disk finds it.
fn share(cluster: Cluster, seen: &Seen, cache: Cache, health: &Health, tasks: &mut Tasks) {
    let (status, wanted, leads) = (health.status.clone(), seen.wanted.clone(), seen.leads.clone());
    let share = Share { cluster, cache, status, wanted, leads };
    tasks.spawn("share", once(seen.after.clone(), share.run(tasks.shutdown.clone()), tasks.shutdown.clone()));
}

/// The loops that look at existing objects: as the API server shows them, or, without one, as their admission does.
fn audit(
    config: &Config,
    cluster: Option<Cluster>,
    seen: Seen,
    evaluator: Evaluator,
    health: &Health,
    gather: Gather,
    tasks: &mut Tasks,
) -> Gather {
    let Seen { auditor, inventory, wanted, leads, after } = seen;
    let shutdown = tasks.shutdown.clone();
    let (Some(cluster), Some(inventory)) = (cluster, inventory) else {
        let stored = Stored::new(auditor);
        tasks.spawn("audit", stored.clone().run(wanted, shutdown));
        return gather.with_stored(stored);
    };
    let every = config.audit.then_some(config.audit_every);
    let reports = config.cluster.policy_reports;
    let watches = Watches { inventory, auditor, evaluator, health: health.clone(), wanted, leads, every, reports };
    tasks.spawn("watches", once(after, cluster.watch(watches, shutdown.clone()), shutdown));
    gather
}

/// Whether this replica does what only one may do; outside of a cluster there is one alone.
fn lead(cluster: Option<&Cluster>, health: &Health, tasks: &mut Tasks) -> watch::Receiver<bool> {
    let (lead, leads) = watch::channel(cluster.is_none());
    if let Some(cluster) = cluster {
        let boot = health.status.boot.to_string();
        tasks.spawn("lease", lease::keep(cluster.clone(), boot, lead, tasks.shutdown.clone()));
    }
    leads
}

/// The loops that talk with the hub.
#[expect(clippy::too_many_arguments, reason = "it wires what the others made")]
fn report(
    config: &Config,
    cluster: Option<Cluster>,
    known: Option<Arc<Enrolled>>,
    hub: &Hub,
    enforcer: Enforcer,
    health: &Health,
    (spool, gather): (Arc<Spool>, Gather),
    tasks: &mut Tasks,
) {
    let (identity, watch) = watch::channel(known);
    let Health { status, metrics } = health.clone();
    let send = Sender { hub: hub.clone(), identity: watch, spool: spool.clone(), metrics, status };
    let gathered = CancellationToken::new();
    let done = gathered.clone().drop_guard();
    let follow = Follow {
        hub: hub.clone(),
        cluster,
        data: config.data.clone(),
        token_file: config.token_file.clone(),
        enforcer,
        health: health.clone(),
        spool,
        identity,
    };
    tasks.spawn("report", async move {
        let _done = done;
        gather.run().await
    });
    tasks.spawn("send", send.run(gathered));
    tasks.spawn("sync", follow.run(tasks.shutdown.clone()));
}

fn enforcer(
    config: &Config,
    evaluator: Evaluator,
    health: &Health,
    child: PathBuf,
    want: watch::Sender<Option<Wanted>>,
    registration: Registration,
) -> anyhow::Result<Enforcer> {
    let self_test = SelfTest::new(Some(child), SELF_TEST_TIMEOUT, SELF_TEST_MEMORY);
    let Health { status, metrics } = health.clone();
    let cache = Cache::open(&config.data)?;
    let enforcer = Enforcer::new(cache, evaluator, self_test, status, metrics, want, registration);
    Ok(enforcer.living_in(&config.namespace))
}

fn evaluator(
    config: &Config,
    inventory: Option<Arc<ClusterInventory>>,
) -> anyhow::Result<(Evaluator, KnownNamespaces)> {
    let (inventory, known): (Inventory, _) = match (inventory, &config.namespaces) {
        (Some(inventory), _) => (inventory.clone(), KnownNamespaces::Cluster(inventory)),
        (None, Some(folder)) => {
            let folder = Arc::new(NamespaceFolder::load(folder)?);
            (folder.clone(), KnownNamespaces::Folder(folder))
        }
        (None, None) => (Arc::new(writ_policy::NoInventory), KnownNamespaces::Nobody),
    };
    let workers = config.workers;
    let budget = writ_policy::Budget::default();
    let evaluator = EvaluatorConfig { workers, queue: workers * QUEUE_PER_WORKER, budget };
    Ok((Evaluator::start(evaluator, inventory), known))
}

/// Opens both ports and says where they are.
async fn listen(
    config: &Config,
    own: Option<Own>,
    webhook: Webhook,
    health: Health,
    tasks: &mut Tasks,
) -> anyhow::Result<()> {
    let (plain, plain_address) = server::bind(config.metrics_listen)?;
    let probes = health::probes(health.clone());
    let router = probes.clone().merge(health::metrics(health.clone()));
    tasks.spawn("metrics", server::serve_plain(plain, router, tasks.shutdown.clone()));

    let tls = certificate(config, own, &health, tasks).await?;
    let (secure, secure_address) = server::bind(config.listen)?;
    let router = webhook.router().merge(probes);
    tasks.spawn("webhook", server::serve_tls(secure, tls, router, tasks.shutdown.clone()));
    if let Some(path) = &config.listen_file {
        let authority = CertificateFolder::new(&config.data).authority();
        write_listen_file(path, secure_address, plain_address, &authority)?;
    }
    info!(listen = %secure_address, metrics_listen = %plain_address, "webhook at https://{secure_address}/validate");
    Ok(())
}

/// The webhook's certificate, and the loop that keeps it right.
async fn certificate(
    config: &Config,
    own: Option<Own>,
    health: &Health,
    tasks: &mut Tasks,
) -> anyhow::Result<RustlsConfig> {
    let shutdown = tasks.shutdown.clone();
    let kept = CertificateFolder::new(&config.data);
    let names = config.certificate_names();
    let material = match &own {
        Some(own) => own.cluster.certificate(&kept, &shutdown).await?,
        None => kept.ensure(&names, clock::now())?,
    };
    health.metrics.certificate_expiry.set(material.expires_at()?);
    health.status.set_certificate_expires_at(material.expires_at()? * 1000);
    let tls = server::tls(&material).await?;
    match own {
        Some(Own { cluster, leads, registration }) => {
            let care = Care { material, tls: tls.clone(), kept, health: health.clone(), held: leads, registration };
            tasks.spawn("own objects", cluster.care(care, shutdown));
        }
        None => {
            let metrics = health.metrics.clone();
            tasks.spawn("certificate", folder::keep_fresh(kept, names, tls.clone(), metrics, shutdown));
        }
    }
    Ok(tls)
}

fn write_listen_file(path: &Path, secure: SocketAddr, plain: SocketAddr, ca: &Path) -> anyhow::Result<()> {
    let ca = std::path::absolute(ca).context("naming the authority's file")?;
    let webhook = format!("https://{}", reachable(secure));
    let addresses = json!({"webhook": webhook, "metrics": format!("http://{}", reachable(plain)), "ca": ca});
    disk::write_atomic(path, addresses.to_string().as_bytes(), disk::PUBLIC)
}

/// The bound address as somebody on this machine reaches it.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// The loops of the process. The first to end, well or badly, ends all.
pub(crate) struct Tasks {
    set: JoinSet<anyhow::Result<()>>,
    pub(crate) shutdown: CancellationToken,
}

impl Tasks {
    fn new(shutdown: CancellationToken) -> Self {
        Self { set: JoinSet::new(), shutdown }
    }

    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.set.spawn(async move { task.await.with_context(|| format!("the {name} loop")) });
    }

    async fn first_end(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.set.join_next().await {
            self.shutdown.cancel();
            outcome = outcome.and(ended.unwrap_or_else(|panic| Err(panic.into())));
        }
        outcome
    }
}
