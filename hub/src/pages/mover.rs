//! What got better or worse, as the lists of pages say it; what it is, is `movement`'s to tell.

use super::change::verdict;
use super::figure::{Count, Share};
use super::link;
use crate::movement::{Movement, Mover, Subject};

impl Mover {
    /// A sign for eyes, beside the word.
    pub(super) fn sign(&self) -> &'static str {
        match self.movement() {
            Movement::Worse | Movement::New => "▲",
            Movement::Better => "▼",
            Movement::Same => "",
        }
    }

    /// The word for people.
    pub(super) fn word(&self) -> &'static str {
        match self.movement() {
            Movement::Same if self.after.judged == 0 => "nothing judged",
            Movement::Same => "about the same",
            other => other.as_str(),
        }
    }

    pub(super) fn class(&self) -> &'static str {
        verdict(self.before, self.after)
    }

    pub(super) fn share(&self) -> Share {
        Share { part: self.after.failing, whole: self.after.judged }
    }

    pub(super) fn share_before(&self) -> Share {
        Share { part: self.before.failing, whole: self.before.judged }
    }

    pub(super) fn failing(&self) -> Count {
        Count(self.after.failing)
    }

    pub(super) fn address(&self) -> String {
        match &self.subject {
            Subject::Policy(name) => link::policy(name),
            Subject::Namespace(name) => link::namespace(name),
            Subject::Cluster(name) => link::cluster(name),
        }
    }

    /// What people call it: the code of a policy, else the name.
    pub(super) fn label(&self) -> &str {
        match &self.subject {
            Subject::Namespace(name) => link::namespace_label(name),
            _ if !self.code.is_empty() => &self.code,
            subject => subject.name(),
        }
    }
}
