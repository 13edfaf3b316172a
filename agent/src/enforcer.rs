//! Makes a verified pair the one that decides: self-test, compile, keep on disk, swap. Owns the order in which these
//! happen (see `cache` for why) and the record of what is enforced. Knows nothing of the hub.

use crate::alone::Trust;
use crate::author::Author;
use crate::cache::{Cache, Saved, Slot};
use crate::metrics::Metrics;
use crate::registered::Registration;
use crate::status::{Enforced, Status};
use crate::sync::content;
use crate::sync::verify::Verified;
use crate::wanted::Wanted;
use crate::weakened::Strength;
use crate::{clock, disk, log_chain};
use anyhow::{Context, bail, ensure};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use writ_policy::bundle::BundleStatement;
use writ_policy::wire::{Active, Enrolled, LoadError};
use writ_policy::{CheckReport, Digest, PolicyCode, SourceFile};
use writ_runtime::{Evaluator, SelfTest};

/// This agent's version: policies are tested again by each.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How often one bundle may end the agent while it is compiled.
const MOST_ENDS: u32 = 2;

/// Owned by the one loop that changes what is enforced.
#[derive(Clone)]
pub struct Enforcer {
    /// Where pairs and blobs are kept.
    pub cache: Cache,
    evaluator: Evaluator,
    self_test: SelfTest,
    status: Arc<Status>,
    metrics: Arc<Metrics>,
    tested: HashSet<Digest>,
    /// Told when verdicts may be others than before.
    wanted: watch::Sender<Option<Wanted>>,
    /// Told which kinds they judge.
    registration: Registration,
    /// Whose objects are never refused: the agent's own.
    own_namespace: String,
    /// Ends with the enforcer.
    learning: Arc<Mutex<JoinSet<()>>>,
    /// Whose signature a bundle needs beside the hub's.
    author: Option<Author>,
}

/// Whose word a kept pair must be.
pub enum Authority<'a> {
    /// A hub's.
    Hub(&'a Enrolled),
    /// An author's, where there is no hub.
    Author(&'a Trust),
}

impl Enforcer {
    /// Enforces nothing yet.
    pub fn new(
        cache: Cache,
        evaluator: Evaluator,
        self_test: SelfTest,
        status: Arc<Status>,
        metrics: Arc<Metrics>,
        wanted: watch::Sender<Option<Wanted>>,
        registration: Registration,
    ) -> Self {
        let (tested, own_namespace, learning, author) = (HashSet::new(), String::new(), Arc::default(), None);
        Self {
            cache,
            evaluator,
            self_test,
            status,
            metrics,
            tested,
            wanted,
            registration,
            own_namespace,
            learning,
            author,
        }
    }

    /// The same, in this namespace of the cluster.
    #[must_use]
    pub fn living_in(self, own_namespace: &str) -> Self {
        Self { own_namespace: own_namespace.into(), ..self }
    }

    /// The same, where bundles must be this author's too.
    #[must_use]
    pub fn believing(self, author: Option<Author>) -> Self {
        Self { author, ..self }
    }

    /// Enforces the newest kept pair that is still right, before the hub is contacted.
    pub async fn start_from_disk(&mut self, authority: &Authority<'_>) {
        for (slot, saved) in self.cache.kept() {
            match self.start_from(slot, &saved, authority).await {
                Ok(()) => return,
                Err(problem) => {
                    warn!(error = log_chain(&problem), "the kept bundle ({slot:?}) cannot be enforced");
                    self.status.set_problem(format!("the kept bundle cannot be enforced: {problem:#}"));
                }
            }
            if let Err(problem) = self.cache.discard(slot) {
                warn!(error = log_chain(&problem), "a damaged file of the cache stays");
            }
        }
    }

    async fn start_from(&mut self, slot: Slot, saved: &Saved, authority: &Authority<'_>) -> anyhow::Result<()> {
        let verified = match authority {
            Authority::Hub(identity) => Verified::of_kept(&saved.desired, identity)?,
            Authority::Author(trust) => trust.verify_kept(&saved.desired.bundle, &self.cache.blobs).await?,
        };
        if slot == Slot::Next {
            self.refuse_what_ended_the_agent(&verified)?;
        }
        let files = content::load(&self.cache.blobs, &verified.bundle.index)?;
        self.ask_author(&verified, &files).await?;
        if saved.tested_by == VERSION {
            self.tested.insert(verified.bundle.index);
        }
        self.test(&verified.bundle, &files).await?;
        self.apply(&verified, files.clone(), saved.fetched_at).await?;
        if slot == Slot::Next {
            self.promote(&verified).await?;
        }
        self.learn(files);
        Ok(())
    }

    /// Learns beside everything else what these files pass, so that the next commit is tested by what it changes.
    fn learn(&self, files: Arc<[SourceFile]>) {
        let self_test = self.self_test.clone();
        let mut learning = self.learning.lock().unwrap_or_else(PoisonError::into_inner);
        learning.spawn(async move {
            // They are enforced already; what is not learnt costs the next commit time and nothing else.
            let _ = self_test.run(&files).await;
        });
    }

    /// A pair that was compiled has the mark of its epoch; one that has not was being compiled when the agent ended.
    fn refuse_what_ended_the_agent(&self, verified: &Verified) -> anyhow::Result<()> {
        if self.cache.floor() == Some(verified.floor()) {
            return Ok(());
        }
        self.cache.put_aside(verified.bundle.index, VERSION)?;
        bail!("{}", ended(verified))
    }

    /// Enforces a pair whose blobs are in the cache. On any error what was enforced before still is.
    pub async fn advance(&mut self, verified: &Verified, saved: Saved) -> anyhow::Result<()> {
        ensure!(self.cache.times_aside(verified.bundle.index, VERSION) < MOST_ENDS, "{}", ended(verified));
        let files = content::load(&self.cache.blobs, &verified.bundle.index)?;
        self.ask_author(verified, &files).await?;
        self.test(&verified.bundle, &files).await?;
        let fetched_at = saved.fetched_at;
        let cache = self.cache.clone();
        disk::blocking(move || cache.stage(&saved)).await?;
        if let Err(problem) = self.apply(verified, files, fetched_at).await {
            self.cache.discard(Slot::Next)?;
            return Err(problem);
        }
        self.promote(verified).await
    }

    /// The same content, signed anew: only its dates change.
    pub async fn renew(&self, verified: &Verified, saved: Saved) -> anyhow::Result<()> {
        let Some(enforced) = self.status.enforced() else { bail!("nothing is enforced that could be renewed") };
        let cache = self.cache.clone();
        disk::blocking(move || cache.renew(&saved)).await?;
        let now = clock::now();
        let active =
            Active { assignment: verified.digest, verified_at: now, active_at: now, ..enforced.active.clone() };
        self.record(verified, active, enforced.policies);
        Ok(())
    }

    /// What keeps policies in force from judging in full: those that are put aside, and kinds they cannot see.
    pub fn impaired(&self, now: i64) -> Vec<LoadError> {
        let policies = self.evaluator.policies();
        let path =
            |code: &PolicyCode| policies.iter().find(|policy| policy.code == *code).map(|policy| policy.path.clone());
        let aside = self.evaluator.quarantined(now).into_iter().map(|quarantined| LoadError {
            path: path(&quarantined.policy).unwrap_or_default(),
            message: format!(
                "{} exceeded its budget again and again and is put aside until {}: reviews are answered by its on_error",
                quarantined.policy,
                clock::text(quarantined.until)
            ),
        });
        let unseen = self.status.unreplicated().into_iter().map(|(kind, reason)| LoadError {
            path: "fleet.yaml".into(),
            message: format!("policies do not see objects of {kind}: {reason}"),
        });
        let unaudited = self.status.unaudited().into_iter().map(|(kind, reason)| LoadError {
            path: "audit".into(),
            message: format!("existing objects of {kind} are not audited: {reason}"),
        });
        let gaps = self.registration.gaps().into_iter().map(|message| LoadError { path: "webhook".into(), message });
        let weaker =
            self.status.weakened(now).into_iter().map(|message| LoadError { path: "enforcement".into(), message });
        aside.chain(unseen).chain(unaudited).chain(gaps).chain(weaker).collect()
    }

    /// Refuses what the author did not sign, or settings that are not theirs.
    async fn ask_author(&self, verified: &Verified, files: &[SourceFile]) -> anyhow::Result<()> {
        match &self.author {
            Some(author) => author.check(verified, files, &self.cache, clock::now()).await,
            None => Ok(()),
        }
    }

    /// Checks and tests the files in a child process, unless these very files passed before.
    async fn test(&mut self, bundle: &BundleStatement, files: &[SourceFile]) -> anyhow::Result<()> {
        if self.tested.contains(&bundle.index) {
            return Ok(());
        }
        let report = self.self_test.run(files).await?.check;
        refuse_errors(&report)?;
        let (actual, expected) = (report.policies.len(), bundle.policies as usize);
        ensure!(actual == expected, "the bundle holds {actual} policies, its statement says {expected}");
        self.tested.insert(bundle.index);
        Ok(())
    }

    async fn apply(&self, verified: &Verified, files: Arc<[SourceFile]>, fetched_at: i64) -> anyhow::Result<()> {
        let verified_at = clock::now();
        let revision = verified.bundle.revision.clone();
        let mut settings = verified.assignment.settings.clone();
        settings.own_namespaces.insert(self.own_namespace.clone());
        let report = self.evaluator.apply(revision.clone(), files, settings).await.context("compiling the bundle")?;
        refuse_errors(&report)?;
        let epoch = verified.assignment.epoch;
        let active_at = clock::now();
        let active = Active { assignment: verified.digest, epoch, revision, fetched_at, verified_at, active_at };
        let policies = self.evaluator.policies().len();
        info!(revision = %active.revision, epoch, policies, "now enforcing {}, epoch {epoch}", active.revision.short());
        self.record(verified, active, policies);
        Ok(())
    }

    fn record(&self, verified: &Verified, active: Active, policies: usize) {
        let (issued_at, stale_after) = (verified.assignment.issued_at, verified.assignment.stale_after);
        let policies_now = self.evaluator.policies();
        let deny_level = verified.assignment.settings.deny_level;
        let strength = Strength::of(policies_now.iter().map(|policy| &**policy), deny_level);
        if let Some(weaker) = self.status.set_strength(strength, active.active_at) {
            self.metrics.weakened.inc();
            let (revision, epoch) = (&active.revision, active.epoch);
            warn!(revision = %revision, epoch, "enforcement is weaker than before: {weaker}");
        }
        self.status.set_assignment(verified.assignment.clone());
        self.status.set_enforced(Enforced { active, policies, issued_at, stale_after });
        let policies = self.evaluator.policies();
        self.metrics.enforced(&policies);
        self.registration.enforced(&policies);
        let wanted = Wanted { index: verified.bundle.index, settings: verified.assignment.settings.clone() };
        self.wanted.send_if_modified(|known| {
            let is_new = known.as_ref() != Some(&wanted);
            *known = Some(wanted);
            is_new
        });
    }

    /// The staged pair is the current one; blobs that no kept pair names are removed.
    async fn promote(&mut self, verified: &Verified) -> anyhow::Result<()> {
        let (cache, floor) = (self.cache.clone(), verified.floor());
        let author = self.author.as_ref().map(|author| author.statement(verified)).transpose()?;
        self.tested = disk::blocking(move || {
            if let Some(author) = author {
                cache.raise_author_mark(author.signed_at)?;
            }
            cache.promote(&floor)?;
            let kept = cache.kept().into_iter();
            let indexes: HashSet<Digest> =
                kept.flat_map(|(_, saved)| content::indexes_of(&saved.desired.bundle)).collect();
            let named = indexes.iter().flat_map(|index| content::named(&cache.blobs, index)).collect();
            cache.blobs.keep_only(&named)?;
            Ok(indexes)
        })
        .await?;
        Ok(())
    }
}

/// Told to the hub as the reason of the refusal.
fn ended(verified: &Verified) -> String {
    format!(
        "the agent ended while it compiled {}, which is put aside; the bundle before it is enforced. Another commit, or \
         removing `cache/aside.json` from the agent's data, ends that",
        verified.bundle.revision.short()
    )
}

/// The first error with its place, and how many more there are.
fn refuse_errors(report: &CheckReport) -> anyhow::Result<()> {
    let mut errors = report.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    match (errors.next(), errors.count()) {
        (None, _) => Ok(()),
        (Some(first), 0) => bail!("{first}"),
        (Some(first), more) => bail!("{first} (and {more} more)"),
    }
}
