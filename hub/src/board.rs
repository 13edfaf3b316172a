//! The newest word to each cluster, in memory, so that a held request is answered without asking the database.
//! Written by `assign`, and by `replica` from what another hub told; read by `api::desired`.

use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use writ_policy::Digest;
use writ_policy::bundle::{Assignment, BundleStatement};
use writ_policy::sign::Signed;
use writ_policy::wire::Desired;

/// The most requests of one cluster that are held at a time: an agent has one, and one that it gave up.
const MAX_WAITING: usize = 16;

/// What a cluster should enforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Digest of the assignment.
    pub digest: Digest,
    /// Its epoch.
    pub epoch: u64,
    /// Digest of the index of its bundle.
    pub index: Digest,
    /// `wire::Desired` as JSON.
    pub body: Bytes,
}

impl Word {
    /// The word that this assignment and the bundle that it names are; nothing when it cannot be read.
    pub fn new(assignment: Signed, bundle: &Signed) -> Option<Self> {
        let epoch = serde_json::from_str::<Assignment>(&assignment.payload).ok()?.epoch;
        let index = serde_json::from_str::<BundleStatement>(&bundle.payload).ok()?.index;
        let digest = assignment.digest();
        let body = serde_json::to_vec(&Desired { assignment, bundle: bundle.clone() }).ok()?.into();
        Some(Self { digest, epoch, index, body })
    }
}

/// The newest word by cluster.
#[derive(Debug, Default)]
pub struct Board(Mutex<HashMap<i64, watch::Sender<Option<Arc<Word>>>>>);

impl Board {
    /// Puts up the newest word and wakes whoever waits for it. An older one, read before and put later, is not news.
    pub fn put(&self, cluster: i64, word: Word) {
        self.with(cluster, |newest| {
            newest.send_if_modified(|current| {
                let is_news = current.as_deref().is_none_or(|current| word.epoch >= current.epoch && *current != word);
                if is_news {
                    *current = Some(Arc::new(word));
                }
                is_news
            });
        });
    }

    /// Whether this is the epoch of the newest word to a cluster.
    pub fn says(&self, cluster: i64, epoch: i64) -> bool {
        let epoch = u64::try_from(epoch).ok();
        self.with(cluster, |newest| newest.borrow().as_deref().map(|word| word.epoch) == epoch)
    }

    /// The index of the bundle that a cluster should enforce.
    pub fn index(&self, cluster: i64) -> Option<Digest> {
        self.with(cluster, |newest| newest.borrow().as_deref().map(|word| word.index))
    }

    /// Ends what is held for a cluster; what it should enforce is put up again when clusters are next told.
    pub fn forget(&self, cluster: i64) {
        self.0.lock().expect("no holder of the lock panics").remove(&cluster);
    }

    /// Follows the newest word to a cluster; `None` when too many already do.
    pub fn follow(&self, cluster: i64) -> Option<watch::Receiver<Option<Arc<Word>>>> {
        self.with(cluster, |newest| (newest.receiver_count() < MAX_WAITING).then(|| newest.subscribe()))
    }

    /// How many requests are held.
    pub fn waiting(&self) -> usize {
        let board = self.0.lock().expect("no holder of the lock panics");
        board.values().map(watch::Sender::receiver_count).sum()
    }

    fn with<T>(&self, cluster: i64, ask: impl FnOnce(&watch::Sender<Option<Arc<Word>>>) -> T) -> T {
        let mut board = self.0.lock().expect("no holder of the lock panics");
        ask(board.entry(cluster).or_insert_with(|| watch::Sender::new(None)))
    }
}
