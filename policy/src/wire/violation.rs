//! Violations on the wire: what audit found of objects that exist. An agent says what changed since it last spoke, and
//! after a full pass that it has seen everything, so that the hub can tell what is gone from what was never said again.

use super::FailureOutcome;
use crate::{Action, NamespaceName, PolicyCode, PolicyName, Revision, Severity};
use serde::{Deserialize, Serialize};

/// One policy objecting to one existing object, or to the pods of one workload. Its identity is the cluster with
/// [`ViolationKey`]; everything else is what was last seen of it. Sent when it is first seen, when what is told of it
/// changes, and in each full pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What it is about.
    #[serde(flatten)]
    pub key: ViolationKey,
    /// When the object was judged, by the agent's clock.
    pub at: i64,
    /// The policy's code.
    pub code: PolicyCode,
    /// Its severity; constraints have none.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// What admission would do now.
    pub action: Action,
    /// Whose word decided the action, for people.
    #[serde(default)]
    pub because: String,
    /// The exemption that covers it, by name.
    #[serde(default)]
    pub exemption: Option<String>,
    /// Whether the policy objected, or erred.
    pub outcome: FailureOutcome,
    /// The message, capped at [`super::MAX_MESSAGE_BYTES`].
    pub message: String,
    /// Name of the object, or of one of them.
    pub name: String,
    /// Its uid.
    #[serde(default)]
    pub uid: String,
    /// How many objects it is about: the pods of a workload count as one violation.
    pub objects: u64,
    /// What was enforced when it was judged.
    pub revision: Revision,
}

/// What makes two violations of a cluster the same: random names of pods do not, nor does the message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViolationKey {
    /// Which policy objects.
    pub policy: PolicyName,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<NamespaceName>,
    /// Kind of the judged objects: `group/Kind`, or `Kind` for the core group.
    pub kind: String,
    /// The owner at the top as `Kind/name`, or the object itself.
    pub workload: String,
}

/// A violation that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed {
    /// Which.
    #[serde(flatten)]
    pub key: ViolationKey,
    /// Since when, by the agent's clock.
    pub at: i64,
    /// Why.
    pub reason: FixedReason,
    /// What was enforced then.
    pub revision: Revision,
}

/// Why a violation is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FixedReason {
    /// The object passes now.
    Passes,
    /// The object is gone.
    Gone,
    /// The policy is gone, is off, or no longer judges this namespace.
    Policy,
    /// A full pass did not find it again: the hub says so, agents do not.
    Unseen,
}

impl FixedReason {
    /// The word that rows and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            FixedReason::Passes => "passes",
            FixedReason::Gone => "gone",
            FixedReason::Policy => "policy",
            FixedReason::Unseen => "unseen",
        }
    }
}

/// A full pass over everything that policies target, sent after the last of its violations, in the same report or a
/// later one. What the pass looked at and did not tell as a violation since `started_at` is fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPass {
    /// When it began, by the agent's clock.
    pub started_at: i64,
    /// When the last object was judged.
    pub finished_at: i64,
    /// What was enforced.
    pub revision: Revision,
    /// Objects that were judged.
    pub objects: u64,
    /// Kinds that could not be looked at, with the reason; their violations stay as they were.
    #[serde(default)]
    pub unseen: Vec<UnseenKind>,
}

/// A kind that audit could not look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenKind {
    /// `group/Kind`, or `Kind` for the core group.
    pub kind: String,
    /// Why, for people.
    pub reason: String,
}
