//! Follows the branch: notices a new head, has it published, and lets clusters be told. Level-triggered: each look
//! compares what is there with what was made of it, so that a missed event costs time and nothing else.

mod gate;
mod signers;
mod watch;

pub use signers::Signers;

use crate::app::{App, SourceState};
use crate::publish::{self, Verdict};
use crate::repository::{Commit, Mirror, Read, Remote};
use anyhow::Context;
use gate::{Passage, Past};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use writ_policy::author::AuthorStatement;
use writ_policy::bundle::BundleStatement;
use writ_policy::sign::Signed;
use writ_policy::{Diagnostic, Revision};

/// The setting that names the last head that something was made of.
const HEAD: &str = "head";
/// The setting that names the repository and branch that it is the head of.
const HEAD_OF: &str = "head_of";
/// The setting that names the head that an operator allowed.
pub(crate) const ALLOWED: &str = "allowed_head";
/// The most commits of a push that are recorded.
const MAX_RECORDED: usize = 100;
/// The setting that tells other hubs what the leader knows of the source.
pub(crate) const STATE: &str = "source_state";
/// Why a head waits that is good otherwise.
const UNSIGNED: &str = "waits for its author's signature: `writ bundle sign --hub URL`";
/// After an event, how long to wait for those that belong to it.
const SETTLE: Duration = Duration::from_millis(2);
/// The longest wait after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// When a check that ran out of time or memory is tried again: neither need be the commit's fault.
const TRY_AGAIN: &[Duration] = &[Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// Follows one branch of one repository.
#[derive(Debug)]
pub struct Follower {
    app: App,
    mirror: Mirror,
    remote: Remote,
    signers: Signers,
    /// What this process has dealt with, and came to.
    done: Option<Done>,
    try_again: &'static [Duration],
    unfinished: Option<Unfinished>,
}

/// A head whose check is to be tried again.
#[derive(Debug)]
struct Unfinished {
    head: Revision,
    tries: usize,
    due: Instant,
}

/// A head that was dealt with. It is dealt with anew when an operator allows another one.
#[derive(Debug, Clone)]
struct Done {
    head: Revision,
    allowed: Option<Revision>,
    /// Why it is not followed.
    held: Option<String>,
}

impl Follower {
    /// Follows what the mirror is of, as far as these signers allow.
    pub fn new(app: App, mirror: Mirror, remote: Remote, signers: Signers) -> Self {
        Self { app, mirror, remote, signers, done: None, try_again: TRY_AGAIN, unfinished: None }
    }

    /// The same with other waits before a check that ran out is tried again.
    #[must_use]
    pub fn trying_again_after(mut self, waits: &'static [Duration]) -> Self {
        self.try_again = waits;
        self
    }

    /// Looks whenever something may have happened, until told to stop.
    pub async fn run(&mut self, poll: Duration, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut failures = 0;
        // Another hub may have led since.
        self.done = None;
        let mut watcher = watch::Watcher::start(&self.remote);
        loop {
            // A look may take minutes (a slow remote, a check that hangs); left undone, it is done anew at the next start.
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = shutdown.cancelled() => return Ok(()),
            };
            let pause = match looked {
                Ok(_) => {
                    failures = 0;
                    let due = self.unfinished.as_ref().map(|unfinished| unfinished.due);
                    due.map_or(poll, |due| poll.min(due.saturating_duration_since(Instant::now())))
                }
                Err(error) => {
                    failures += 1;
                    self.failed(&error).await;
                    watcher = watch::Watcher::start(&self.remote);
                    (Duration::from_millis(500) * 2_u32.pow(failures.min(10))).min(LONGEST_RETRY.min(poll * 4))
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = watcher.changed() => tokio::time::sleep(SETTLE).await,
                () = self.app.look_wanted.notified() => {}
                () = tokio::time::sleep(jittered(pause)) => {}
            }
        }
    }

    /// One look at the source. `None` when there is nothing new.
    pub async fn look(&mut self) -> anyhow::Result<Option<Verdict>> {
        let started = Instant::now();
        let mirror = self.mirror.clone();
        let head = tokio::task::spawn_blocking(move || mirror.fetch()).await??;
        let allowed = self.setting(ALLOWED).await?;
        if self.unfinished.as_ref().is_some_and(|unfinished| unfinished.head == head && unfinished.due <= started) {
            self.done = None;
        }
        let is_new = self.done.as_ref().is_none_or(|done| done.head != head || done.allowed != allowed);
        let is_served = is_new && self.is_served(&head).await?;
        let mut verdict = None;
        if is_served {
            self.done = Some(Done { head: head.clone(), allowed, held: None });
        } else if is_new {
            let tries = self.unfinished.take().filter(|unfinished| unfinished.head == head).map_or(0, |one| one.tries);
            let again = self.try_again.get(tries).copied();
            let (came_to, held) = self.deal_with(&head, allowed.clone(), started, again).await?;
            self.unfinished = again.filter(|_| matches!(came_to, Verdict::Unfinished(_))).map(|wait| Unfinished {
                head: head.clone(),
                tries: tries + 1,
                due: Instant::now() + wait,
            });
            // What was allowed and is followed now allows nothing any more.
            let allowed = allowed.filter(|_| held.is_some());
            self.done = Some(Done { head: head.clone(), allowed, held });
            verdict = Some(came_to);
        }
        let mut held = self.done.as_ref().and_then(|done| done.held.clone());
        if held.as_deref() == Some(UNSIGNED) {
            // Their word may come any time.
            self.done = None;
            held = Some(format!("{} {UNSIGNED}", head.short()));
        }
        self.tell(SourceState { head: Some(head.clone()), checked_at: self.app.now(), error: None, held }).await?;
        if is_served {
            self.learn(&head).await?;
        }
        Ok(verdict)
    }

    /// Learns what the served files pass, after a restart, so that the next commit is checked by what it changes.
    async fn learn(&self, head: &Revision) -> anyhow::Result<()> {
        if let Ok(files) = self.read(head).await? {
            self.app.self_test.run(&files).await.context("checking what is served")?;
        }
        Ok(())
    }

    async fn read(&self, head: &Revision) -> anyhow::Result<Read> {
        let (mirror, head, folder) = (self.mirror.clone(), head.clone(), self.app.source.path.clone());
        tokio::task::spawn_blocking(move || mirror.files(&head, &folder)).await?
    }

    async fn setting(&self, name: &str) -> anyhow::Result<Option<Revision>> {
        let value = self.app.store.setting(name).await.with_context(|| format!("reading the setting {name}"))?;
        Ok(value.and_then(|value| Revision::new(value).ok()))
    }

    /// Whether this head is what the hub serves: so it is after a restart. Not so when its author did not sign it, since
    /// nobody asked for that then.
    async fn is_served(&self, head: &Revision) -> anyhow::Result<bool> {
        let served = self.app.store.served().await.context("reading what is served")?;
        let Some(served) = served.filter(|served| served.revision == *head) else { return Ok(false) };
        let Some(key) = &self.app.author_key else { return Ok(true) };
        let bundle: BundleStatement = serde_json::from_str(&served.statement.payload).context("reading the bundle")?;
        Ok(bundle.author.is_some_and(|signed| key.verify::<AuthorStatement>(&signed).is_ok()))
    }

    /// What came of a new head, and why it is not followed if it is not.
    async fn deal_with(
        &self,
        head: &Revision,
        allowed: Option<Revision>,
        started: Instant,
        again: Option<Duration>,
    ) -> anyhow::Result<(Verdict, Option<String>)> {
        let past = Past { last: self.last_head().await?, allowed };
        let branch = &self.app.source.branch;
        let (commit, earlier) = match gate::judge(&self.mirror, &self.signers, branch, past, head).await? {
            Passage::Open(commit, earlier) => (commit, earlier),
            Passage::Closed(commit, findings) => return self.hold(&commit, findings).await,
        };
        let author = self.authors_word(head).await?;
        if self.app.author_key.is_some() && author.is_none() {
            return Ok((Verdict::Refused(vec![]), Some(UNSIGNED.to_owned())));
        }
        let read = self.read(head).await?;
        let fetch_ms = started.elapsed().as_millis() as u64;
        self.record_earlier(&earlier[earlier.len().saturating_sub(MAX_RECORDED)..]).await?;
        let verdict = publish::publish(&self.app, &commit, read, author, again).await?;
        let mut tx = self.app.begin_as_leader().await?;
        tx.save_setting(HEAD, head.as_str()).await?;
        tx.save_setting(HEAD_OF, &self.name()).await?;
        tx.save_setting(ALLOWED, "").await?;
        tx.commit().await.context("recording the head")?;
        self.app.assign_wanted.notify_one();
        let total_ms = started.elapsed().as_millis() as u64;
        tracing::debug!(revision = %head, fetch_ms, total_ms, "dealt with commit {}", head.short());
        Ok((verdict, None))
    }

    /// What the author signed of this commit, where that is asked for. A key that was replaced signs nothing any more.
    async fn authors_word(&self, head: &Revision) -> anyhow::Result<Option<Signed>> {
        let Some(key) = &self.app.author_key else { return Ok(None) };
        let signed = self.app.store.author_statement(head).await.context("reading the author's signature")?;
        Ok(signed.filter(|signed| key.verify::<AuthorStatement>(signed).is_ok()))
    }

    /// What the last head is compared with; nothing, when it is of another repository or branch, which an operator chose.
    async fn last_head(&self) -> anyhow::Result<Option<Revision>> {
        let of = self.app.store.setting(HEAD_OF).await.context("reading what was followed")?;
        if of.is_some_and(|of| of != self.name()) {
            return Ok(None);
        }
        self.setting(HEAD).await
    }

    fn name(&self) -> String {
        format!("{} {}", self.app.source.url, self.app.source.branch)
    }

    /// A head that is not followed is shown with the reason. One that was served before stays what it was.
    async fn hold(&self, commit: &Commit, findings: Vec<Diagnostic>) -> anyhow::Result<(Verdict, Option<String>)> {
        let first = findings.iter().map(|finding| finding.to_string()).next().unwrap_or_default();
        let help = findings.first().and_then(|finding| finding.help.clone()).unwrap_or_default();
        let held = format!("{first} {help}").trim().to_owned();
        let known = self.app.store.history_of(commit.revision.as_str()).await.context("reading the commit")?;
        if known.is_some_and(|known| known.published_at.is_some()) {
            tracing::warn!(revision = %commit.revision, reason = first, "the head is not followed");
            return Ok((Verdict::Refused(findings), Some(held)));
        }
        let verdict = publish::publish(&self.app, commit, Err(findings), None, None).await?;
        Ok((verdict, Some(held)))
    }

    async fn record_earlier(&self, earlier: &[Commit]) -> anyhow::Result<()> {
        if earlier.is_empty() {
            return Ok(());
        }
        let now = self.app.now();
        let mut tx = self.app.begin_as_leader().await?;
        for commit in earlier {
            tx.save_superseded(commit, now).await?;
        }
        tx.commit().await.context("recording earlier commits")
    }

    async fn failed(&self, error: &anyhow::Error) {
        let error = format!("{error:#}");
        let before = self.app.source_state.load_full();
        if before.error.as_ref() != Some(&error) {
            tracing::warn!(error, "the source cannot be followed, the last good revision stays");
        }
        let (head, held) = (before.head.clone(), before.held.clone());
        let state = SourceState { error: Some(error), checked_at: self.app.now(), head, held };
        // When the database is why, other hubs find out themselves.
        let _ = self.tell(state).await;
    }

    /// Keeps what is known of the source, for people and for other hubs.
    async fn tell(&self, state: SourceState) -> anyhow::Result<()> {
        let text = serde_json::to_string(&state).context("writing the state of the source")?;
        self.app.source_state.store(state.into());
        if self.app.store.is_shared() {
            self.app.store.save_setting(STATE, &text).await.context("recording the state of the source")?;
        }
        Ok(())
    }
}

/// A tenth more or less, so that many hubs do not ask at the same moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).expect("the system's random source works");
    pause.mul_f64(0.9 + 0.2 * f64::from(byte[0]) / 255.0)
}
