//! Follows the branch of each source: notices a new head, has it published, and lets clusters be told. Level-triggered:
//! each look compares what is there with what was made of it, so that a missed event costs time and nothing else.
//!
//! Of several sources each has its own head. A new one of any is a new revision: that commit, beside what is served of the
//! others.

mod gate;
mod line;
mod signers;
mod under;
mod watch;

pub use line::{Line, lines};
pub use signers::Signers;
pub(crate) use under::is_below;

use crate::app::{App, SourceState};
use crate::publish::{self, Verdict};
use crate::repository::{Commit, Parts, Read};
use anyhow::Context;
use futures::future::join_all;
use gate::{Passage, Past};
use line::{Done, Unfinished};
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
/// Why a head of another source waits.
const NOTHING_YET: &str = "waits until the first source is served: it says what the fleet is";
/// After an event, how long to wait for those that belong to it.
const SETTLE: Duration = Duration::from_millis(2);
/// The longest wait after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// When a check that ran out of time or memory is tried again: neither need be the commit's fault.
const TRY_AGAIN: &[Duration] = &[Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// Follows one branch of each source.
#[derive(Debug)]
pub struct Follower {
    app: App,
    /// The first source, then the others.
    lines: Vec<Line>,
    try_again: &'static [Duration],
}

/// A head that is dealt with.
struct Candidate {
    /// Of which source.
    at: usize,
    head: Revision,
    /// Which head an operator allowed.
    allowed: Option<Revision>,
    /// What is served of the other sources.
    beside: Parts,
    started: Instant,
}

impl Follower {
    /// Follows these sources, the first one first.
    pub fn new(app: App, lines: Vec<Line>) -> Self {
        Self { app, lines, try_again: TRY_AGAIN }
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
        self.lines.iter_mut().for_each(|line| line.done = None);
        let mut watcher = self.watch();
        loop {
            // A look may take minutes (a slow remote, a check that hangs); left undone, it is done anew at the next start.
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = shutdown.cancelled() => return Ok(()),
            };
            let pause = match looked {
                Ok(_) => {
                    failures = 0;
                    let due = self.lines.iter().filter_map(|line| Some(line.unfinished.as_ref()?.due)).min();
                    due.map_or(poll, |due| poll.min(due.saturating_duration_since(Instant::now())))
                }
                Err(error) => {
                    failures += 1;
                    self.failed(&error).await;
                    watcher = self.watch();
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

    fn watch(&self) -> watch::Watcher {
        watch::Watcher::start(self.lines.iter().map(|line| &line.remote))
    }

    /// One look at every source; what came of the first that had news. A source that cannot be reached keeps no other
    /// one; when it is the first, that is the error.
    pub async fn look(&mut self) -> anyhow::Result<Option<Verdict>> {
        let started = Instant::now();
        let heads = join_all(self.lines.iter().map(Line::fetch)).await;
        let (mut verdict, mut failed) = (None, None);
        for (at, head) in heads.into_iter().enumerate() {
            let looked = match head {
                Ok(head) => self.look_at(at, head, started).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(came_to) => verdict = verdict.or(came_to),
                Err(error) if at == 0 => failed = Some(error),
                Err(error) => self.lines[at].failed(&error, self.app.now()),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => self.tell().await.map(|()| verdict),
        }
    }

    /// One look at a source whose head is this. `None` when there is nothing new.
    async fn look_at(&mut self, at: usize, head: Revision, started: Instant) -> anyhow::Result<Option<Verdict>> {
        let checked_at = self.app.now();
        let Some(beside) = self.beside(at).await? else {
            let held = Some(NOTHING_YET.to_owned());
            self.lines[at].state = SourceState { head: Some(head), checked_at, held, ..SourceState::default() };
            return Ok(None);
        };
        let allowed = self.setting(ALLOWED).await?;
        let line = &mut self.lines[at];
        if line.unfinished.as_ref().is_some_and(|unfinished| unfinished.head == head && unfinished.due <= started) {
            line.done = None;
        }
        let is_known = |done: &Done| done.head == head && done.allowed == allowed && done.beside == beside;
        let is_new = !line.done.as_ref().is_some_and(is_known);
        let is_served = is_new && self.is_served(at, &head).await?;
        let mut verdict = None;
        if is_served {
            self.lines[at].done = Some(Done { head: head.clone(), allowed, beside, held: None });
        } else if is_new {
            verdict = Some(self.try_it(Candidate { at, head: head.clone(), allowed, beside, started }).await?);
        }
        let line = &mut self.lines[at];
        let mut held = line.done.as_ref().and_then(|done| done.held.clone());
        if held.as_deref() == Some(UNSIGNED) {
            // Their word may come any time.
            line.done = None;
            held = Some(format!("{} {UNSIGNED}", head.short()));
        }
        line.state = SourceState { head: Some(head), checked_at, held, ..SourceState::default() };
        if is_served && at == 0 {
            self.tell().await?;
            self.learn().await?;
        }
        Ok(verdict)
    }

    /// What comes of a new head; it is remembered, so that it is dealt with once.
    async fn try_it(&mut self, candidate: Candidate) -> anyhow::Result<Verdict> {
        let Candidate { at, ref head, .. } = candidate;
        let before = self.lines[at].unfinished.take();
        let tries = before.filter(|unfinished| unfinished.head == *head).map_or(0, |one| one.tries);
        let again = self.try_again.get(tries).copied();
        let (verdict, held) = self.deal_with(&candidate, again).await?;
        let is_several = self.lines.len() > 1;
        let line = &mut self.lines[at];
        line.unfinished = again.filter(|_| matches!(verdict, Verdict::Unfinished(_))).map(|wait| Unfinished {
            head: head.clone(),
            tries: tries + 1,
            due: Instant::now() + wait,
        });
        // What was allowed and is followed now allows nothing any more.
        let is_spent = held.is_none() && self.is_spent(&candidate).await?;
        let Candidate { head, allowed, beside, .. } = candidate;
        let allowed = allowed.filter(|_| !is_spent);
        let line = &mut self.lines[at];
        line.done = Some(Done { head, allowed, beside, held });
        if is_several && matches!(verdict, Verdict::Served { .. }) {
            // What was refused of another source may be good beside this.
            self.app.look_wanted.notify_one();
        }
        Ok(verdict)
    }

    /// What is served of the sources beside this one; `None` when one that is not the first has to wait for that.
    async fn beside(&self, at: usize) -> anyhow::Result<Option<Parts>> {
        if self.lines.len() == 1 {
            return Ok(Some(Parts::new()));
        }
        let Some(served) = self.app.store.served().await.context("reading what is served")? else {
            return Ok((at == 0).then(Parts::new));
        };
        let mut parts = served.parts;
        parts.retain(|name, _| *name != self.lines[at].name.name && self.line(name).is_some());
        Ok(Some(parts))
    }

    fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name.name == name)
    }

    /// Learns what the served files pass, after a restart, so that the next commit is checked by what it changes.
    async fn learn(&self) -> anyhow::Result<()> {
        let Some(served) = self.app.store.served().await.context("reading what is served")? else { return Ok(()) };
        if let Ok(files) = self.read(&served.parts).await? {
            self.app.self_test.run(&files).await.context("checking what is served")?;
        }
        Ok(())
    }

    /// The files of all sources at these commits.
    async fn read(&self, parts: &Parts) -> anyhow::Result<Read> {
        let mut reads = vec![];
        for (name, commit) in parts {
            let Some(line) = self.line(name) else { continue };
            reads.push((name.clone(), line.read(commit).await?));
        }
        Ok(under::merged(reads))
    }

    async fn setting(&self, name: &str) -> anyhow::Result<Option<Revision>> {
        let value = self.app.store.setting(name).await.with_context(|| format!("reading the setting {name}"))?;
        Ok(value.and_then(|value| Revision::new(value).ok()))
    }

    /// Whether this head is what the hub serves of its source: so it is after a restart. Not so when its author did not
    /// sign it, since nobody asked for that then, or while a source is served that is followed no more.
    async fn is_served(&self, at: usize, head: &Revision) -> anyhow::Result<bool> {
        let served = self.app.store.served().await.context("reading what is served")?;
        let own = &self.lines[at].name.name;
        let Some(served) = served.filter(|served| served.parts.get(own) == Some(head)) else { return Ok(false) };
        if !served.parts.keys().all(|name| self.line(name).is_some()) {
            return Ok(false);
        }
        let Some(key) = &self.app.author_key else { return Ok(true) };
        let bundle: BundleStatement = serde_json::from_str(&served.statement.payload).context("reading the bundle")?;
        Ok(bundle.author.is_some_and(|signed| key.verify::<AuthorStatement>(&signed).is_ok()))
    }

    /// What came of a new head, and why it is not followed if it is not.
    async fn deal_with(
        &self,
        candidate: &Candidate,
        again: Option<Duration>,
    ) -> anyhow::Result<(Verdict, Option<String>)> {
        let Candidate { at, head, allowed, beside, started } = candidate;
        let line = &self.lines[*at];
        let mut parts = beside.clone();
        parts.insert(line.name.name.clone(), head.clone());
        let past = Past { last: self.last_head(line).await?, allowed: allowed.clone() };
        let judged = gate::judge(&line.mirror, &line.signers, &line.name.branch, past, head).await?;
        let (commit, earlier) = match judged {
            Passage::Open(commit, earlier) => (of_source(commit, line, &parts), earlier),
            Passage::Closed(commit, findings) => return self.hold(&of_source(commit, line, &parts), findings).await,
        };
        if let Some(other) = self.others_commit(line, head).await? {
            return Ok((Verdict::Refused(vec![]), Some(other)));
        }
        let author = self.authors_word(head).await?;
        if self.app.author_key.is_some() && author.is_none() {
            return Ok((Verdict::Refused(vec![]), Some(UNSIGNED.to_owned())));
        }
        let read = self.read(&parts).await?;
        let fetch_ms = started.elapsed().as_millis() as u64;
        let earlier = &earlier[earlier.len().saturating_sub(MAX_RECORDED)..];
        self.record_earlier(earlier.iter().map(|commit| of_source(commit.clone(), line, &Parts::new()))).await?;
        let verdict = publish::publish(&self.app, &commit, read, author, again).await?;
        self.record_head(line, candidate).await?;
        let total_ms = started.elapsed().as_millis() as u64;
        tracing::debug!(revision = %head, fetch_ms, total_ms, "dealt with commit {}", head.short());
        Ok((verdict, None))
    }

    /// Whether following this head uses up what an operator allowed. What was allowed of another source waits there.
    async fn is_spent(&self, candidate: &Candidate) -> anyhow::Result<bool> {
        let Some(allowed) = candidate.allowed.clone().filter(|_| self.lines.len() > 1) else { return Ok(true) };
        let mirror = self.lines[candidate.at].mirror.clone();
        Ok(tokio::task::spawn_blocking(move || mirror.commit(&allowed).is_ok()).await?)
    }

    async fn record_head(&self, line: &Line, candidate: &Candidate) -> anyhow::Result<()> {
        let is_spent = self.is_spent(candidate).await?;
        let mut tx = self.app.begin_as_leader().await?;
        tx.save_setting(&line.setting(HEAD), candidate.head.as_str()).await?;
        tx.save_setting(&line.setting(HEAD_OF), &line.place()).await?;
        if is_spent {
            tx.save_setting(ALLOWED, "").await?;
        }
        tx.commit().await.context("recording the head")?;
        self.app.assign_wanted.notify_one();
        Ok(())
    }

    /// Why a commit cannot be a revision that is one already, of another source: a fork of it, say.
    async fn others_commit(&self, line: &Line, head: &Revision) -> anyhow::Result<Option<String>> {
        if self.lines.len() == 1 {
            return Ok(None);
        }
        let known = self.app.store.source_of(head).await.context("reading the commit")?;
        let other = known.filter(|other| *other != line.name.name);
        Ok(other.map(|other| {
            let other = if other.is_empty() { "the first source".to_owned() } else { format!("the source `{other}`") };
            format!("{} is a commit of {other} already: two sources cannot be at the same commit", head.short())
        }))
    }

    /// What the author signed of this commit, where that is asked for. A key that was replaced signs nothing any more.
    async fn authors_word(&self, head: &Revision) -> anyhow::Result<Option<Signed>> {
        let Some(key) = &self.app.author_key else { return Ok(None) };
        let signed = self.app.store.author_statement(head).await.context("reading the author's signature")?;
        Ok(signed.filter(|signed| key.verify::<AuthorStatement>(signed).is_ok()))
    }

    /// What the last head is compared with; nothing, when it is of another repository or branch, which an operator chose.
    async fn last_head(&self, line: &Line) -> anyhow::Result<Option<Revision>> {
        let of = self.app.store.setting(&line.setting(HEAD_OF)).await.context("reading what was followed")?;
        if of.is_some_and(|of| of != line.place()) {
            return Ok(None);
        }
        self.setting(&line.setting(HEAD)).await
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

    async fn record_earlier(&self, earlier: impl ExactSizeIterator<Item = Commit>) -> anyhow::Result<()> {
        if earlier.len() == 0 {
            return Ok(());
        }
        let now = self.app.now();
        let mut tx = self.app.begin_as_leader().await?;
        for commit in earlier {
            tx.save_superseded(&commit, now).await?;
        }
        tx.commit().await.context("recording earlier commits")
    }

    async fn failed(&mut self, error: &anyhow::Error) {
        let now = self.app.now();
        self.lines[0].failed(error, now);
        // When the database is why, other hubs find out themselves.
        let _ = self.tell().await;
    }

    /// Keeps what is known of the sources, for people and for other hubs.
    async fn tell(&self) -> anyhow::Result<()> {
        let (first, others) = self.lines.split_first().context("there is a source")?;
        let further = others.iter().map(|line| (line.name.name.clone(), line.state.clone())).collect();
        let state = SourceState { further, ..first.state.clone() };
        let text = serde_json::to_string(&state).context("writing the state of the source")?;
        self.app.source_state.store(state.into());
        if self.app.store.is_shared() {
            self.app.store.save_setting(STATE, &text).await.context("recording the state of the source")?;
        }
        Ok(())
    }
}

/// The commit as one of this source, beside the others at these.
fn of_source(commit: Commit, line: &Line, parts: &Parts) -> Commit {
    Commit { source: line.name.name.clone(), parts: parts.clone(), ..commit }
}

/// A tenth more or less, so that many hubs do not ask at the same moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).expect("the system's random source works");
    pause.mul_f64(0.9 + 0.2 * f64::from(byte[0]) / 255.0)
}
