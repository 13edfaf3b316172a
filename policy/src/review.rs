//! One AdmissionReview, v1 or v1beta1, as the API server sends it. Parsed once; policies see the whole of it.

/// The fields that route and describe a review: what reports carry, never the object itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewFacts {
    /// `admission.k8s.io/v1` or `admission.k8s.io/v1beta1`; the answer says the same.
    pub api_version: String,
    /// The review's uid.
    pub uid: String,
    /// `group/Kind`, or `Kind` for the core group.
    pub kind: String,
    /// The version of the kind: `v1`.
    pub version: String,
    /// What is written about break glass on a Namespace, where this review changes it; empty when it is taken off.
    pub break_glass: Option<String>,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Name, or generateName with a trailing `*`.
    pub name: String,
    /// The object's uid, empty on CREATE.
    pub object_uid: String,
    /// The controlling owner as `Kind/name` (a ReplicaSet's hash suffix removed: `Deployment/web`), or the object itself.
    pub workload: String,
    /// Whether the object belongs to a workload that is judged itself when policies are asked about the pod it implies.
    pub child: bool,
    /// CREATE, UPDATE, DELETE or CONNECT.
    pub operation: String,
    /// Who asked.
    pub user: String,
    /// `status`, `scale`, `exec`; empty when the whole object is meant.
    pub sub_resource: String,
    /// Whether nothing is stored, whatever the answer.
    pub dry_run: bool,
}

/// The bytes are not an AdmissionReview: HTTP 400 with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an AdmissionReview: {0}")]
pub struct ReviewError(pub String);

pub(crate) mod parse;
