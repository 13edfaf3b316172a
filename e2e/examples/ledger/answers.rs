//! What the agents answered: the ledger's other side.

use std::time::{Duration, Instant};

/// Violations of a standalone agent are told four times a second.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// What one agent answered, and when it was killed.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) cluster: String,
    /// How long an answered review may be nowhere but in memory.
    pub(crate) blink: Duration,
    /// Reviews to which a policy objected.
    pub(crate) objections: Vec<Objection>,
    /// Objects that violate a policy and were let in.
    pub(crate) objects: Vec<Object>,
    /// When the agent was killed.
    pub(crate) kills: Vec<Kill>,
    /// When nothing could be written to its disk: what was answered then may have been dropped, and counted.
    pub(crate) full: Vec<(Instant, Instant)>,
    /// Reviews that were sent; some got no answer.
    pub(crate) sent: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) at: Instant,
    /// What was answered from then on had no disk to go to: the same moment, or when the disk was full.
    pub(crate) memory_since: Instant,
}

#[derive(Debug, Clone)]
pub(crate) struct Objection {
    /// The review's uid.
    pub(crate) review: String,
    pub(crate) at: Instant,
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) name: String,
    /// When it was let in.
    pub(crate) at: Instant,
    /// When its deletion was let in.
    pub(crate) deleted_at: Option<Instant>,
}

impl Answers {
    /// Whether the agent was killed in the blink in which this failure was only in its memory.
    pub(crate) fn blinked(&self, objection: &Objection) -> bool {
        self.killed_within(objection.at, self.blink)
    }

    /// The same for a violation, or its end.
    pub(crate) fn blinked_violation(&self, at: Instant) -> bool {
        self.killed_within(at, self.blink_of_violations())
    }

    /// Whether the agent forgot the object before it was deleted: what a standalone agent knows of objects ends with it.
    pub(crate) fn forgot(&self, object: &Object) -> bool {
        let until = object.deleted_at.map_or(object.at, |at| at + self.blink_of_violations());
        self.kills.iter().any(|kill| (object.at..=until).contains(&kill.at))
    }

    /// Whether what was answered may be among what the agent dropped.
    pub(crate) fn may_be_dropped(&self, at: Instant) -> bool {
        let blink = self.blink_of_violations();
        self.full.iter().any(|(since, until)| at + blink >= *since && at <= *until + blink)
    }

    fn blink_of_violations(&self) -> Duration {
        self.blink + TOLD_EVERY
    }

    fn killed_within(&self, at: Instant, blink: Duration) -> bool {
        // An answer may be read a moment after the kill.
        self.kills.iter().any(|kill| at <= kill.at + blink && kill.memory_since <= at + blink)
    }
}
