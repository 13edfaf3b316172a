//! What the agent says of itself: to the hub with each request, to probes, to metrics. Facts only; loops write them.

use crate::weakened::{Strength, Watch};
use arc_swap::ArcSwapOption;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;
use writ_policy::BreakGlass;
use writ_policy::bundle::Assignment;
use writ_policy::wire::{Active, Refused};

/// What is enforced, with the promises of its assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforced {
    /// The proof that the hub is sent.
    pub active: Active,
    /// How many policies decide.
    pub policies: usize,
    /// When the hub signed the assignment, Unix milliseconds.
    pub issued_at: i64,
    /// From when on it counts as stale, Unix milliseconds.
    pub stale_after: i64,
}

/// The most Namespaces of which it is remembered who changed break glass there.
const MOST_OPENERS: usize = 1_024;

/// Shared by all tasks.
#[derive(Debug)]
pub struct Status {
    /// Made anew at each start; names this run's reports.
    pub boot: Uuid,
    /// When this process started.
    pub started_at: i64,
    replica: String,
    /// Unix milliseconds; 0 before there is a certificate.
    certificate_expires_at: AtomicI64,
    enforced: ArcSwapOption<Enforced>,
    assignment: ArcSwapOption<Assignment>,
    suspended: Mutex<Vec<BreakGlass>>,
    /// Who changed break glass on a Namespace last, and when.
    openers: Mutex<BTreeMap<String, (String, i64)>>,
    own_namespace: String,
    refused: Mutex<Option<Refused>>,
    strength: Mutex<Watch>,
    problem: Mutex<String>,
    /// Why the kinds of `sync` that are not replicated are not, by kind.
    unreplicated: Mutex<BTreeMap<String, String>>,
    /// Why kinds that policies judge are not audited, by kind.
    unaudited: Mutex<BTreeMap<String, String>>,
    /// 0 before the first request, 1 away, 2 connected.
    hub: AtomicU8,
    stopping: AtomicBool,
}

impl Status {
    /// Nothing is enforced yet.
    pub fn new(boot: Uuid, now: i64) -> Self {
        Self {
            boot,
            started_at: now,
            replica: String::new(),
            certificate_expires_at: AtomicI64::new(0),
            enforced: ArcSwapOption::empty(),
            assignment: ArcSwapOption::empty(),
            suspended: Mutex::default(),
            openers: Mutex::default(),
            own_namespace: String::new(),
            refused: Mutex::default(),
            strength: Mutex::default(),
            problem: Mutex::new("starting".into()),
            unreplicated: Mutex::default(),
            unaudited: Mutex::default(),
            hub: AtomicU8::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    /// The same as one of several replicas, by its name.
    pub fn of_replica(self, replica: &str) -> Self {
        Self { replica: replica.to_owned(), ..self }
    }

    /// The same in this namespace of the cluster.
    pub fn living_in(self, own_namespace: &str) -> Self {
        Self { own_namespace: own_namespace.to_owned(), ..self }
    }

    /// The namespace that the agent runs in.
    pub fn own_namespace(&self) -> &str {
        &self.own_namespace
    }

    /// The hub's word that is in force.
    pub fn assignment(&self) -> Option<Arc<Assignment>> {
        self.assignment.load_full()
    }

    /// This word is in force from now on.
    pub fn set_assignment(&self, assignment: Assignment) {
        self.assignment.store(Some(assignment.into()));
    }

    /// What is suspended.
    pub fn suspended(&self) -> Vec<BreakGlass> {
        guard(&self.suspended).clone()
    }

    /// Says what is suspended.
    pub fn set_suspended(&self, open: Vec<BreakGlass>) {
        *guard(&self.suspended) = open;
    }

    /// Who changed break glass on this Namespace last, and when.
    pub fn opener(&self, namespace: &str) -> Option<(String, i64)> {
        guard(&self.openers).get(namespace).cloned()
    }

    /// Says who changed break glass on this Namespace.
    pub fn set_opener(&self, namespace: &str, user: &str, at: i64) {
        let mut openers = guard(&self.openers);
        if openers.len() >= MOST_OPENERS {
            openers.clear();
        }
        openers.insert(namespace.to_owned(), (user.chars().take(256).collect(), at));
    }

    /// The name of this replica.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// When the webhook's certificate ends, Unix milliseconds.
    pub fn certificate_expires_at(&self) -> Option<i64> {
        Some(self.certificate_expires_at.load(Relaxed)).filter(|at| *at != 0)
    }

    /// The webhook shows a certificate that ends then, Unix milliseconds.
    pub fn set_certificate_expires_at(&self, at: i64) {
        self.certificate_expires_at.store(at, Relaxed);
    }

    /// What is enforced.
    pub fn enforced(&self) -> Option<Arc<Enforced>> {
        self.enforced.load_full()
    }

    /// Whether anything is.
    pub fn is_enforcing(&self) -> bool {
        self.enforced.load().is_some()
    }

    /// Something is enforced from now on; what was refused before no longer matters.
    pub fn set_enforced(&self, enforced: Enforced) {
        self.enforced.store(Some(enforced.into()));
        *guard(&self.refused) = None;
    }

    /// The last refusal, unless something was accepted since.
    pub fn refused(&self) -> Option<Refused> {
        guard(&self.refused).clone()
    }

    /// An assignment was refused. True when it is not the one that was refused before.
    pub fn set_refused(&self, refused: Refused) -> bool {
        let mut last = guard(&self.refused);
        let is_new = last.as_ref().is_none_or(|last| last.assignment != refused.assignment);
        *last = Some(refused);
        is_new
    }

    /// What is enforced from now on; what of it is weaker than before.
    pub fn set_strength(&self, strength: Strength, now: i64) -> Option<String> {
        self.strength.lock().unwrap_or_else(PoisonError::into_inner).see(strength, now)
    }

    /// What grew weaker in the last day and still is.
    pub fn weakened(&self, now: i64) -> Option<String> {
        self.strength.lock().unwrap_or_else(PoisonError::into_inner).told(now)
    }

    /// Why nothing is enforced yet, for people.
    pub fn problem(&self) -> String {
        guard(&self.problem).clone()
    }

    /// Says why nothing is enforced yet.
    pub fn set_problem(&self, problem: impl Into<String>) {
        *guard(&self.problem) = problem.into();
    }

    /// The kinds of `sync` that policies cannot see in full, each with the reason.
    pub fn unreplicated(&self) -> BTreeMap<String, String> {
        guard(&self.unreplicated).clone()
    }

    /// Says whether a kind is replicated, or why not.
    pub fn set_unreplicated(&self, kind: &str, reason: Option<String>) {
        let mut kinds = guard(&self.unreplicated);
        match reason {
            Some(reason) => drop(kinds.insert(kind.to_owned(), reason)),
            None => drop(kinds.remove(kind)),
        }
    }

    /// Whether the agent was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// The agent was told to stop.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Relaxed);
    }

    /// The kinds that policies judge and audit cannot look at, each with the reason.
    pub fn unaudited(&self) -> BTreeMap<String, String> {
        guard(&self.unaudited).clone()
    }

    /// Says whether a kind is audited, or why not.
    pub fn set_unaudited(&self, kind: &str, reason: Option<String>) {
        let mut kinds = guard(&self.unaudited);
        match reason {
            Some(reason) => drop(kinds.insert(kind.to_owned(), reason)),
            None => drop(kinds.remove(kind)),
        }
    }

    /// Whether the last request reached the hub.
    pub fn hub_connected(&self) -> bool {
        self.hub.load(Relaxed) == 2
    }

    /// Says whether the hub answers. True when that changed.
    pub fn set_hub_connected(&self, connected: bool) -> bool {
        let word = 1 + u8::from(connected);
        self.hub.swap(word, Relaxed) != word
    }
}

/// A panic while a text was replaced leaves a text; going on is right.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
