//! Follows the branch: notices a new head, has it published, and lets clusters be told. Level-triggered: each look
//! compares what is there with what was made of it, so that a missed event costs time and nothing else.

mod watch;

use crate::app::{App, SourceState};
use crate::publish::{self, Read, Verdict};
use crate::repository::{Commit, Mirror, Remote};
use anyhow::Context;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use writ_policy::{Diagnostic, Revision};

/// The setting that names the last head that something was made of.
const HEAD: &str = "head";
/// The setting that tells other hubs what the leader knows of the source.
pub(crate) const STATE: &str = "source_state";
/// After an event, how long to wait for those that belong to it.
const SETTLE: Duration = Duration::from_millis(2);
/// The longest wait after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// Follows one branch of one repository.
#[derive(Debug)]
pub struct Follower {
    app: App,
    mirror: Mirror,
    remote: Remote,
    /// The head that this process has dealt with.
    done: Option<Revision>,
}

/// A new head and all that is read of it.
struct News {
    commit: Commit,
    earlier: Vec<Commit>,
    notes: Vec<Diagnostic>,
    read: Read,
}

impl Follower {
    /// Follows the mirror's branch.
    pub fn new(app: App, mirror: Mirror, remote: Remote) -> Self {
        Self { app, mirror, remote, done: None }
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
                    poll
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
                () = tokio::time::sleep(jittered(pause)) => {}
            }
        }
    }

    /// One look at the source. `None` when there is nothing new.
    pub async fn look(&mut self) -> anyhow::Result<Option<Verdict>> {
        let started = Instant::now();
        let mirror = self.mirror.clone();
        let head = tokio::task::spawn_blocking(move || mirror.fetch()).await??;
        let is_new = self.done.as_ref() != Some(&head);
        let is_served = is_new && self.is_served(&head).await?;
        let verdict = if is_new && !is_served { Some(self.deal_with(&head, started).await?) } else { None };
        self.done = Some(head.clone());
        self.tell(SourceState { head: Some(head.clone()), checked_at: self.app.now(), error: None }).await?;
        if is_served {
            self.learn(&head).await?;
        }
        Ok(verdict)
    }

    /// Learns what the served files pass, after a restart, so that the next commit is checked by what it changes.
    async fn learn(&self, head: &Revision) -> anyhow::Result<()> {
        if let Ok(files) = self.read(head).await?.read {
            self.app.self_test.run(&files).await.context("checking what is served")?;
        }
        Ok(())
    }

    /// Whether this head is what the hub serves: so it is after a restart.
    async fn is_served(&self, head: &Revision) -> anyhow::Result<bool> {
        let served = self.app.store.served().await.context("reading what is served")?;
        Ok(served.is_some_and(|served| served.revision == *head))
    }

    async fn deal_with(&self, head: &Revision, started: Instant) -> anyhow::Result<Verdict> {
        let news = self.read(head).await?;
        let fetch_ms = started.elapsed().as_millis() as u64;
        self.record_earlier(&news.earlier).await?;
        let verdict = publish::publish(&self.app, &news.commit, news.read, news.notes).await?;
        let mut tx = self.app.begin_as_leader().await?;
        tx.save_setting(HEAD, head.as_str()).await?;
        tx.commit().await.context("recording the head")?;
        self.app.assign_wanted.notify_one();
        let total_ms = started.elapsed().as_millis() as u64;
        tracing::debug!(revision = %head, fetch_ms, total_ms, "dealt with commit {}", head.short());
        Ok(verdict)
    }

    async fn read(&self, head: &Revision) -> anyhow::Result<News> {
        let last: Option<String> = self.app.store.setting(HEAD).await.context("reading the last head")?;
        let last = last.and_then(|last| Revision::new(last).ok());
        let (mirror, head, folder) = (self.mirror.clone(), head.clone(), self.app.source.path.clone());
        let branch = self.app.source.branch.clone();
        let read = move || {
            let history = mirror.history(last.as_ref(), &head)?;
            let commit = mirror.commit(&head)?;
            let earlier = history.commits.into_iter().filter(|earlier| earlier.revision != head).collect();
            let notes = last.filter(|_| history.rewritten).map(|last| rewritten(&branch, &last));
            anyhow::Ok(News {
                commit,
                earlier,
                notes: notes.into_iter().collect(),
                read: mirror.files(&head, &folder)?,
            })
        };
        tokio::task::spawn_blocking(read).await?
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
        let state = SourceState { error: Some(error), checked_at: self.app.now(), head: before.head.clone() };
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

fn rewritten(branch: &str, last: &Revision) -> Diagnostic {
    let message = format!("the history of `{branch}` was rewritten: {} is no longer part of it", last.short());
    Diagnostic::warning("", message).help("Protect the branch against forced pushes, so that its history is a record.")
}

/// A tenth more or less, so that many hubs do not ask at the same moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).expect("the system's random source works");
    pause.mul_f64(0.9 + 0.2 * f64::from(byte[0]) / 255.0)
}
