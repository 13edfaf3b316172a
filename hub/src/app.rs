//! What every handler may ask for: one state, shared by all routes.

use crate::access::Access;
use crate::board::Board;
use crate::clock::Clock;
use crate::heartbeat::Heartbeats;
use crate::ingest::intake::Intake;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::push::Gatekeeper;
use crate::shelf::Shelf;
use crate::store::{Store, Tx};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use writ_policy::Revision;
use writ_policy::sign::PublicKey;
use writ_runtime::SelfTest;

/// The state of the hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The parts of the state.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who may see and change what.
    pub access: Access,
    /// Sign bundles and assignments.
    pub keys: Keys,
    /// Who must sign what is served, beside this hub.
    pub author_key: Option<PublicKey>,
    /// What is followed, for people: without credentials.
    pub source: SourceName,
    /// What is followed beside it.
    pub further: Vec<SourceName>,
    /// What is known of the source right now.
    pub source_state: ArcSwap<SourceState>,
    /// How policies are checked before they are served.
    pub self_test: SelfTest,
    /// The same for what classes of clusters are served: a part of the same files.
    pub class_test: SelfTest,
    /// Whether this hub leads, of all that share the database.
    pub lead: Lead,
    /// The newest word to each cluster.
    pub board: Board,
    /// What agents fetch.
    pub shelf: Shelf,
    /// Wakes `assign`: something changed that clusters should be told.
    pub assign_wanted: Notify,
    /// Wakes `source`: there may be news.
    pub look_wanted: Notify,
    /// What push webhooks must show.
    pub push: Gatekeeper,
    /// What agents last said of themselves.
    pub heartbeats: Heartbeats,
    /// Where reports wait to be written.
    pub intake: Intake,
    /// What is counted.
    pub metrics: Metrics,
    /// How long a request of an agent is held while there is nothing new.
    pub hold: Duration,
    /// How long a credential of an agent is good.
    pub credential_ttl: Duration,
    /// Whether people must accept every agent that enrolls.
    pub accept_agents: bool,
    /// Ends held requests when the hub stops.
    pub shutdown: CancellationToken,
}

/// Whether this hub leads, and in which term.
#[derive(Debug, Default)]
pub struct Lead {
    now: AtomicBool,
    term: AtomicI64,
}

impl Lead {
    /// This hub leads from now on.
    pub fn begin(&self, term: i64) {
        self.term.store(term, Ordering::SeqCst);
        self.now.store(true, Ordering::SeqCst);
    }

    /// It leads no more.
    pub fn end(&self) {
        self.now.store(false, Ordering::SeqCst);
    }

    /// Whether it leads.
    pub fn is_held(&self) -> bool {
        self.now.load(Ordering::SeqCst)
    }

    /// The term in which it led last.
    pub fn term(&self) -> i64 {
        self.term.load(Ordering::SeqCst)
    }
}

/// What the last look at the source found.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct SourceState {
    /// The commit that the branch points to.
    pub head: Option<Revision>,
    /// When it was looked at.
    pub checked_at: i64,
    /// Why it could not be looked at; the head is then an older one.
    pub error: Option<String>,
    /// Why the head is not followed, when that is no fault of its content.
    #[serde(default)]
    pub held: Option<String>,
    /// The same of the other sources, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub further: BTreeMap<String, SourceState>,
}

/// Which repository, branch and folder the hub follows. Shown on pages; never holds a credential.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SourceName {
    /// Empty for the first source; the others' policies are in folders of their names.
    pub name: String,
    /// Path or URL.
    pub url: String,
    /// Branch, or `tag NAME`.
    pub branch: String,
    /// Folder within the repository, empty for all of it.
    pub path: String,
}

impl SourceState {
    /// What is known of the source with this name; the first has none.
    pub fn of(&self, name: &str) -> Option<&Self> {
        if name.is_empty() { Some(self) } else { self.further.get(name) }
    }

    /// All sources, by name, the first one first.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Self)> {
        std::iter::once(("", self)).chain(self.further.iter().map(|(name, state)| (name.as_str(), state)))
    }
}

impl App {
    /// The sources that are followed, the first one first.
    pub fn sources(&self) -> impl Iterator<Item = &SourceName> {
        std::iter::once(&self.source).chain(&self.further)
    }

    /// The state made of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Begins what only the leader writes. A hub that was paused while another began to lead writes nothing.
    pub async fn begin_as_leader(&self) -> anyhow::Result<Tx> {
        let tx = self.store.begin_term(self.lead.term()).await?;
        tx.ok_or_else(|| anyhow::anyhow!("another hub leads since; it does this"))
    }

    /// Has the source looked at, by whichever hub follows it.
    pub async fn want_look(&self) -> crate::store::Result<()> {
        self.look_wanted.notify_one();
        self.store.want_look().await
    }

    /// Has clusters told what they should enforce, by whichever hub leads.
    pub async fn want_round(&self) -> crate::store::Result<()> {
        self.assign_wanted.notify_one();
        self.store.want_round().await
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
