//! Reports that wait on disk, one file each, named by boot and sequence. Bounded: the oldest are dropped, and what they
//! held is counted in the next report. Files of earlier boots are sent under their own name.

use super::journal;
use crate::metrics::Metrics;
use crate::{clock, disk, log_chain};
use anyhow::Context;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tracing::warn;
use uuid::Uuid;
use writ_policy::wire::Report;

/// The most files, whatever their size.
const MAX_FILES: usize = 20_000;
/// Reports that the hub will never take, kept for people.
const MAX_REJECTED: usize = 100;

/// A report's place in the order of all: boots are UUIDv7, so they sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The boot that closed it.
    pub boot: Uuid,
    /// Its number in that boot.
    pub sequence: u64,
}

impl Name {
    fn file(self) -> String {
        format!("{}-{:020}.json", self.boot, self.sequence)
    }

    pub(super) fn journal(self) -> String {
        format!("open-{}-{:020}.jsonl", self.boot, self.sequence)
    }

    fn parse(stem: &str) -> Option<Self> {
        let (boot, sequence) = stem.rsplit_once('-')?;
        Some(Self { boot: boot.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

/// The folder and what is known of it.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    rejected: PathBuf,
    most_bytes: u64,
    metrics: Arc<Metrics>,
    waiting: Mutex<Waiting>,
    /// Open batches of earlier boots that could not become reports yet: the disk was full.
    left: Mutex<Vec<Name>>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    files: VecDeque<(Name, u64)>,
    bytes: u64,
    /// Not to be dropped: it is on its way.
    sending: Option<Name>,
    /// Dropped since the last report was closed.
    dropped: u64,
    /// Dropped since the start.
    dropped_in_all: u64,
}

impl Spool {
    /// What earlier boots left, open batches included.
    pub fn open(data: &Path, most_bytes: u64, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let (folder, rejected) = (data.join("spool"), data.join("rejected"));
        disk::create_folder(&folder)?;
        disk::create_folder(&rejected)?;
        let (waiting, left, arrived) = (Mutex::default(), Mutex::default(), Notify::new());
        let spool = Self { folder, rejected, most_bytes, metrics, waiting, left, arrived };
        spool.close_journals()?;
        for file in disk::list(&spool.folder)? {
            let Some(name) = file.strip_suffix(".json").and_then(Name::parse) else { continue };
            spool.announce(name)?;
        }
        Ok(spool)
    }

    /// Batches that were open when an earlier process ended become reports of that boot. One that was already closed
    /// has its file, and only its journal is left over.
    fn close_journals(&self) -> anyhow::Result<()> {
        for file in disk::list(&self.folder)? {
            let stem = file.strip_prefix("open-").and_then(|stem| stem.strip_suffix(".jsonl"));
            let Some(name) = stem.and_then(Name::parse) else { continue };
            if let Err(problem) = self.close_journal(name) {
                // An agent that did not start would judge nothing.
                warn!(error = log_chain(&problem), "what an earlier process left waits until the disk takes it");
                self.left().push(name);
            }
        }
        Ok(())
    }

    fn close_journal(&self, name: Name) -> anyhow::Result<()> {
        let path = self.folder.join(name.journal());
        if !self.folder.join(name.file()).exists() {
            let batch = journal::read(&path)?;
            if !batch.is_empty() {
                self.write(&batch.close(name.boot, name.sequence, clock::now()))?;
            }
        }
        disk::remove(&path)
    }

    /// Makes reports of what waits in journals since the start, once the disk takes reports again.
    pub fn close_left(&self) -> anyhow::Result<()> {
        let mut left = self.left();
        while let Some(name) = left.last().copied() {
            self.close_journal(name)?;
            left.pop();
            if self.folder.join(name.file()).exists() {
                self.announce(name)?;
            }
        }
        Ok(())
    }

    fn left(&self) -> MutexGuard<'_, Vec<Name>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where reports and journals are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a closed report; nobody sends it before it is announced.
    pub fn write(&self, report: &Report) -> anyhow::Result<Name> {
        let name = Name { boot: report.boot, sequence: report.sequence };
        let content = serde_json::to_vec(report).expect("a report has only string keys");
        disk::write_atomic(&self.folder.join(name.file()), &content, disk::PRIVATE)?;
        Ok(name)
    }

    /// The report is ready to be sent. The oldest give way when there are too many.
    pub fn announce(&self, name: Name) -> anyhow::Result<()> {
        let path = self.folder.join(name.file());
        let bytes = path.metadata().with_context(|| format!("looking at {}", path.display()))?.len();
        let mut waiting = self.waiting();
        waiting.files.push_back((name, bytes));
        waiting.bytes += bytes;
        while waiting.bytes > self.most_bytes || waiting.files.len() > MAX_FILES {
            if !self.drop_oldest(&mut waiting) {
                break;
            }
        }
        self.measure(&waiting);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    fn drop_oldest(&self, waiting: &mut Waiting) -> bool {
        let sending = waiting.sending;
        let Some(place) = waiting.files.iter().position(|(name, _)| Some(*name) != sending) else { return false };
        let Some((name, bytes)) = waiting.files.remove(place) else { return false };
        waiting.bytes -= bytes;
        self.count_lost(waiting, &self.folder.join(name.file()));
        if let Err(problem) = disk::remove(&self.folder.join(name.file())) {
            warn!(error = log_chain(&problem), "a dropped report stays on disk");
        }
        true
    }

    /// What a report held is missing from now on, and said so by the next one.
    fn count_lost(&self, waiting: &mut Waiting, path: &Path) {
        let content = disk::read(path).ok().flatten().unwrap_or_default();
        let lost = serde_json::from_slice::<Report>(&content).map_or(1, |report| records(&report));
        self.count(waiting, lost);
    }

    fn count(&self, waiting: &mut Waiting, lost: u64) {
        if waiting.dropped_in_all == 0 && lost > 0 {
            warn!(lost, "failures and counts are dropped for the first time since the start; the hub is told how many");
        }
        waiting.dropped += lost;
        waiting.dropped_in_all += lost;
        self.metrics.dropped.inc_by(lost);
    }

    /// So much never became a report; the next one says so.
    pub fn lost(&self, lost: u64) {
        if lost > 0 {
            self.count(&mut self.waiting(), lost);
        }
    }

    /// How much was dropped since this was asked before.
    pub fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.waiting().dropped)
    }

    /// Reports that wait, and what was dropped since the start.
    pub fn waiting_and_dropped(&self) -> (u64, u64) {
        let waiting = self.waiting();
        (waiting.files.len() as u64, waiting.dropped_in_all)
    }

    /// The oldest report, once there is one. It stays until [`Spool::stored`] or [`Spool::reject`].
    pub async fn oldest(&self) -> Name {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut waiting = self.waiting();
                if let Some((name, _)) = waiting.files.front().copied() {
                    waiting.sending = Some(name);
                    return name;
                }
            }
            arrived.await;
        }
    }

    /// The content of a report; `None` when somebody removed its file.
    pub fn read(&self, name: Name) -> anyhow::Result<Option<Vec<u8>>> {
        disk::read(&self.folder.join(name.file()))
    }

    /// The hub has it.
    pub fn stored(&self, name: Name) -> anyhow::Result<()> {
        disk::remove(&self.folder.join(name.file()))?;
        self.forget(&mut self.waiting(), name);
        Ok(())
    }

    /// The hub will never take it: it is put aside for people, and counted as lost.
    pub fn reject(&self, name: Name) -> anyhow::Result<()> {
        let (from, to) = (self.folder.join(name.file()), self.rejected.join(name.file()));
        let mut waiting = self.waiting();
        self.count_lost(&mut waiting, &from);
        self.forget(&mut waiting, name);
        drop(waiting);
        if from.exists() {
            disk::rename(&from, &to)?;
        }
        let kept = disk::list(&self.rejected)?;
        let surplus = kept.len().saturating_sub(MAX_REJECTED);
        kept.iter().take(surplus).try_for_each(|file| disk::remove(&self.rejected.join(file)))
    }

    fn forget(&self, waiting: &mut Waiting, name: Name) {
        waiting.sending = None;
        if let Some(place) = waiting.files.iter().position(|(waits, _)| *waits == name)
            && let Some((_, bytes)) = waiting.files.remove(place)
        {
            waiting.bytes -= bytes;
        }
        self.measure(waiting);
    }

    fn measure(&self, waiting: &Waiting) {
        self.metrics.spool_files.set(waiting.files.len() as i64);
        self.metrics.spool_bytes.set(i64::try_from(waiting.bytes).unwrap_or(i64::MAX));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much is lost with a report.
pub fn records(report: &Report) -> u64 {
    let counts = report.policy_counts.len() + report.review_counts.len();
    let audited = report.violations.len() + report.fixed.len();
    (report.failures.len() + counts + audited) as u64 + report.dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::batch::Batch;
    use crate::report::journal::Journal;

    fn open(folder: &Path, most_bytes: u64) -> Spool {
        Spool::open(folder, most_bytes, Arc::new(Metrics::new())).unwrap()
    }

    fn report(boot: Uuid, sequence: u64) -> Report {
        Batch::of_dropped(3).close(boot, sequence, 1)
    }

    fn put(spool: &Spool, boot: Uuid, sequence: u64) {
        spool.announce(spool.write(&report(boot, sequence)).unwrap()).unwrap();
    }

    #[tokio::test]
    async fn earlier_boots_are_sent_first_and_under_their_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let (earlier, later) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let spool = open(folder.path(), 1 << 20);
        put(&spool, later, 1);
        put(&spool, earlier, 10);
        put(&spool, earlier, 9);
        let spool = open(folder.path(), 1 << 20);
        for expected in [(earlier, 9), (earlier, 10), (later, 1)] {
            let name = spool.oldest().await;
            assert_eq!((name.boot, name.sequence), expected);
            spool.stored(name).unwrap();
        }
        assert_eq!(spool.waiting_and_dropped(), (0, 0));
    }

    #[tokio::test]
    async fn full_spool_drops_the_oldest_and_counts_what_they_held() {
        let folder = tempfile::tempdir().unwrap();
        let one = serde_json::to_vec(&report(Uuid::nil(), 1)).unwrap().len() as u64;
        let spool = open(folder.path(), one * 2);
        (1..=4).for_each(|sequence| put(&spool, Uuid::nil(), sequence));
        assert_eq!(spool.oldest().await.sequence, 3);
        assert_eq!(spool.take_dropped(), 6);
        put(&spool, Uuid::nil(), 5);
        assert_eq!(spool.oldest().await.sequence, 3, "what is on its way is not dropped");
        assert_eq!(spool.waiting_and_dropped(), (2, 9));
    }

    #[tokio::test]
    async fn open_batch_of_a_killed_agent_is_sent_once() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(folder.path(), 1 << 20);
        for sequence in [1, 2] {
            let mut journal = Journal::create(spool.folder(), Uuid::nil(), sequence).unwrap();
            journal.append(&Batch::of_dropped(3)).unwrap();
        }
        spool.write(&report(Uuid::nil(), 1)).unwrap();
        let spool = open(folder.path(), 1 << 20);
        assert_eq!(spool.waiting_and_dropped().0, 2, "one was closed already, one is closed now");
        assert_eq!(disk::list(spool.folder()).unwrap().len(), 2, "no journal is left");
    }

    #[tokio::test]
    async fn report_that_the_hub_never_takes_is_put_aside_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(folder.path(), 1 << 20);
        put(&spool, Uuid::nil(), 1);
        spool.reject(spool.oldest().await).unwrap();
        assert_eq!(spool.take_dropped(), 3);
        assert_eq!(disk::list(&folder.path().join("rejected")).unwrap().len(), 1);
    }
}
