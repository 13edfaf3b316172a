//! Every message between hub and agent, in one place. JSON; unknown fields are tolerated so that one side may be a
//! minor version ahead. Times are Unix milliseconds. `docs/PROTOCOL.md` tells the conversation.

mod violation;

pub use violation::{AuditPass, Fixed, FixedReason, UnseenKind, Violation, ViolationKey};

use crate::sign::{PublicKey, Signed};
use crate::{
    Action, AgentId, BreakGlass, ClusterName, Digest, Labels, NamespaceName, PolicyCode, PolicyName, Revision, Severity,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST` without credentials; answered by [`Enrolled`] or 401.
pub const ENROLL: &str = "/v1/enroll";
/// `POST`, held open; answered by [`Desired`], or 204 when nothing changed while it was held.
pub const DESIRED: &str = "/v1/desired";
/// `POST` with the credential; answered by [`Credential`]: a new one, before the present one ends.
pub const CREDENTIAL: &str = "/v1/credential";
/// `GET /v1/blobs/{digest}`: the content, gzip-encoded.
pub const BLOBS: &str = "/v1/blobs";
/// `GET` with the credential; answered by [`HubKeys`].
pub const KEYS: &str = "/v1/keys";
/// `POST`; answered by [`Receipt`] once the rows are committed.
pub const REPORTS: &str = "/v1/reports";

/// The longest that the hub holds a desired request, in milliseconds.
pub const HOLD_MS: u64 = 30_000;
/// The most failures in one report.
pub const MAX_FAILURES: usize = 2_000;
/// The most violations, and the most fixed ones, in one report.
pub const MAX_VIOLATIONS: usize = 2_000;
/// The most rows of counts in one report.
pub const MAX_COUNTS: usize = 10_000;
/// The largest report, in bytes of JSON.
pub const MAX_REPORT_BYTES: usize = 4 << 20;
/// The longest message that a failure carries, in bytes; longer ones are cut and end with `…`.
pub const MAX_MESSAGE_BYTES: usize = 1_024;

/// An agent introduces itself with a one-time token, which is never shown.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enroll {
    /// The token as the operator was given it.
    pub token: String,
    /// The agent's version.
    pub version: String,
}

/// What an enrolled agent keeps. The credential is shown once and stored hashed by the hub.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolled {
    /// Who the agent is from now on.
    pub agent: AgentId,
    /// The cluster that the token was made for.
    pub cluster: ClusterName,
    /// The cluster's labels, bound by the token.
    pub labels: Labels,
    /// Bearer credential for all further requests.
    pub credential: String,
    /// The key whose assignments and bundles the agent obeys. The token carries its fingerprint, or that of a key from
    /// which `successions` lead to it.
    pub hub_key: PublicKey,
    /// [`Succession`](crate::succession::Succession)s, oldest first. The agent does not keep them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<Signed>,
    /// The keys that the agent trusted before, oldest first: what they signed is enforced from its disk, and nothing new.
    /// The agent's own; no hub says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_keys: Vec<PublicKey>,
    /// From when on the agent asks for a new credential, well before this one ends; never, where the hub says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<i64>,
}

/// How the hub came to its present key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HubKeys {
    /// [`Succession`](crate::succession::Succession)s, oldest first.
    pub successions: Vec<Signed>,
}

/// A credential in place of the present one, which is good until it ends.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Bearer credential for all further requests.
    pub credential: String,
    /// From when on to ask for the next one.
    pub renew_at: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// "This is what I enforce; tell me when I should enforce something else."
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DesiredRequest {
    /// Digest of the assignment that the agent enforces, if any. The hub holds the request while it is the newest.
    pub have: Option<Digest>,
    /// The assignment that the agent enforces, with the hub's own signature, in the first request to a hub: one that was
    /// restored from a backup learns from it which epochs it has already given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Signed>,
    /// The agent's own state: heartbeat, acknowledgement and errors in one.
    pub state: AgentState,
}

/// What the agent says of itself with each request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentState {
    /// The agent's version.
    pub version: String,
    /// Made anew at each start.
    pub boot: Uuid,
    /// When this process started.
    pub started_at: i64,
    /// What it enforces.
    pub active: Option<Active>,
    /// The last assignment it refused, if it did not accept a later one since.
    pub refused: Option<Refused>,
    /// What keeps policies of the active bundle from judging in full: policies put aside, kinds they cannot see.
    #[serde(default)]
    pub load_errors: Vec<LoadError>,
    /// Reports waiting on disk.
    #[serde(default)]
    pub spooled: u64,
    /// Failures and counts dropped since the start because the spool was full.
    #[serde(default)]
    pub dropped: u64,
    /// Which of the cluster's agents this is, by a name that outlives its restarts; empty where there is one alone.
    #[serde(default)]
    pub replica: String,
    /// When the webhook's certificate ends.
    #[serde(default)]
    pub certificate_expires_at: Option<i64>,
    /// It stops: nothing more is to be expected of this replica.
    #[serde(default)]
    pub leaving: bool,
    /// What is suspended now, whoever opened it.
    #[serde(default)]
    pub break_glass: Vec<BreakGlass>,
    /// Events and messages to people dropped since the start, because there were too many or they could not be sent.
    #[serde(default)]
    pub untold: u64,
}

/// The proof of enforcement: which assignment is active since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Digest of the assignment.
    pub assignment: Digest,
    /// Its epoch.
    pub epoch: u64,
    /// The revision that its bundle names.
    pub revision: Revision,
    /// When the last missing blob had arrived.
    pub fetched_at: i64,
    /// When signatures and digests were found right.
    pub verified_at: i64,
    /// From when on decisions were made with it.
    pub active_at: i64,
}

/// Why an assignment is not enforced. The last good one still is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Digest of the refused assignment.
    pub assignment: Digest,
    /// The reason, for people.
    pub reason: String,
    /// When.
    pub at: i64,
}

/// A policy that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadError {
    /// Path of its source.
    pub path: String,
    /// Why, with line and column.
    pub message: String,
}

/// What the cluster should enforce now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// An [`crate::bundle::Assignment`], signed by the hub.
    pub assignment: Signed,
    /// The [`crate::bundle::BundleStatement`] that it names.
    pub bundle: Signed,
}

/// A batch of what happened. Stored exactly once: the cursor (agent, boot, sequence) moves in the transaction of its
/// rows. A report may be sent any number of times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The boot that spooled the batch; may be an earlier one than the sender's.
    pub boot: Uuid,
    /// Grows by one with each batch of a boot, from 1. A gap means that the agent had to drop batches.
    pub sequence: u64,
    /// When the batch was closed, by the agent's clock.
    pub closed_at: i64,
    /// One per review and objecting policy.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// Evaluations by minute, namespace and policy, as additions to what was reported before.
    #[serde(default)]
    pub policy_counts: Vec<PolicyCount>,
    /// Reviews by minute and namespace, as additions to what was reported before.
    #[serde(default)]
    pub review_counts: Vec<ReviewCount>,
    /// What audit found, or found changed.
    #[serde(default)]
    pub violations: Vec<Violation>,
    /// Violations that are no more.
    #[serde(default)]
    pub fixed: Vec<Fixed>,
    /// Full passes of audit that ended.
    #[serde(default)]
    pub audits: Vec<AuditPass>,
    /// Failures and counts that were dropped since the batch before, because the spool was full.
    #[serde(default)]
    pub dropped: u64,
}

/// The answer to a stored report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Everything of this boot up to this sequence is stored.
    pub stored: u64,
}

/// What a policy said of one object. Objects themselves never travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// UUIDv7, made by the agent.
    pub id: Uuid,
    /// When the review was decided, by the agent's clock.
    pub at: i64,
    /// The review's uid: failures of one review share it.
    pub review: String,
    /// Which policy objected.
    pub policy: PolicyName,
    /// Its code.
    pub code: PolicyCode,
    /// Its severity; constraints have none.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// What came of it.
    pub action: Action,
    /// Whose word decided the action, for people: `denyLevel HIGH`.
    #[serde(default)]
    pub because: String,
    /// The exemption that covers it, by name; its action is dryrun then.
    #[serde(default)]
    pub exemption: Option<String>,
    /// Whether a policy judged the pod that the object implies.
    #[serde(default)]
    pub implied: bool,
    /// Whether the object belongs to a workload that was judged itself, so that nobody need be told again.
    #[serde(default)]
    pub child: bool,
    /// Whether the policy objected, or erred.
    pub outcome: FailureOutcome,
    /// The messages as the developer saw them, joined, capped at [`MAX_MESSAGE_BYTES`].
    pub message: String,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<NamespaceName>,
    /// `group/Kind`, or `Kind` for the core group.
    pub kind: String,
    /// Name, or generateName with a trailing `*`.
    pub name: String,
    /// The object's uid, empty on CREATE.
    #[serde(default)]
    pub uid: String,
    /// The owner at the top as `Kind/name`, or the object itself.
    pub workload: String,
    /// CREATE, UPDATE, DELETE or CONNECT.
    pub operation: String,
    /// Who asked, as the API server authenticated them.
    pub user: String,
    /// What was enforced at that moment.
    pub revision: Revision,
}

/// Why there is a failure record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureOutcome {
    /// The policy objected.
    Fail,
    /// The policy erred or ran out of its budget.
    Error,
}

impl FailureOutcome {
    /// The word that rows and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureOutcome::Fail => "fail",
            FailureOutcome::Error => "error",
        }
    }
}

/// How one policy judged in one minute and namespace. `passes + failures + errors + exempted` is the number of
/// evaluations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCount {
    /// Unix minutes.
    pub minute: i64,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<NamespaceName>,
    /// Which policy.
    pub policy: PolicyName,
    /// Its code.
    pub code: PolicyCode,
    /// The revision that judged.
    pub revision: Revision,
    /// Evaluations without objection.
    pub passes: u64,
    /// Evaluations with an objection that no exemption covers.
    pub failures: u64,
    /// Failures and errors whose action was deny.
    pub denials: u64,
    /// Failures and errors whose action was warn.
    #[serde(default)]
    pub warnings: u64,
    /// Failures and errors that did nothing, not covered by an exemption.
    #[serde(default)]
    pub dryruns: u64,
    /// Evaluations that erred, not covered by an exemption.
    pub errors: u64,
    /// Evaluations that objected or erred, and an exemption covers it.
    #[serde(default)]
    pub exempted: u64,
    /// Time spent in evaluation.
    pub micros: u64,
    /// The slowest evaluation.
    #[serde(default)]
    pub micros_max: u64,
}

/// How reviews of one minute and namespace ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCount {
    /// Unix minutes.
    pub minute: i64,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<NamespaceName>,
    /// All reviews.
    pub reviews: u64,
    /// Those with at least one failure or error that no exemption covers.
    pub failing: u64,
    /// Those that were refused.
    pub denied: u64,
}

impl std::fmt::Debug for Enroll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enroll").field("token", &"***").field("version", &self.version).finish()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("credential", &"***").field("expires_at", &self.expires_at).finish()
    }
}

impl std::fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolled")
            .field("agent", &self.agent)
            .field("cluster", &self.cluster)
            .field("credential", &"***")
            .finish_non_exhaustive()
    }
}
