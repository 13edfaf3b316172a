//! A fixed pool of evaluation threads, each with policies of its own. One review stays on one worker.

use std::sync::Arc;
use writ_policy::{Budget, CheckReport, Decided, PolicyInfo, ReviewError, Revision, Settings, SourceFile};

/// Where workers find Namespace objects.
pub type Namespaces = Arc<dyn writ_policy::Namespaces + Send + Sync>;

/// How many workers, and what an evaluation may cost.
#[derive(Debug, Clone, Copy)]
pub struct EvaluatorConfig {
    /// Evaluation threads.
    pub workers: usize,
    /// Reviews that may wait for a worker; more are refused at once.
    pub queue: usize,
    /// Time limits.
    pub budget: Budget,
}

/// The pool. Cheap to clone.
#[derive(Clone)]
pub struct Evaluator {}

/// A review, what came of it, and the bytes to answer.
#[derive(Debug)]
pub struct Answered {
    /// The decision and the facts that reports carry.
    pub decided: Decided,
    /// The AdmissionReview response.
    pub response: Vec<u8>,
    /// The revision that decided; `None` before the first bundle.
    pub revision: Option<Revision>,
}

/// Why a review was not decided.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// HTTP 400.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Too many reviews wait: HTTP 429 or as the failure policy says.
    #[error("{0} reviews already wait for evaluation")]
    Busy(usize),
    /// The worker is gone, e.g. it panicked; the process should end.
    #[error("the evaluation worker is gone")]
    Gone,
}

impl Evaluator {
    /// Starts the workers, with no policies.
    pub fn start(config: EvaluatorConfig, namespaces: Namespaces) -> Self {
        let _ = (config, namespaces);
        Self {}
    }

    /// Compiles the files on every worker and, when all have done so without an error, makes them active on all.
    /// With errors nothing changes and the report says what is wrong.
    pub async fn apply(
        &self,
        revision: Revision,
        files: Arc<[SourceFile]>,
        settings: Settings,
    ) -> Result<CheckReport, EvaluateError> {
        let _ = (revision, files, settings);
        Err(EvaluateError::Gone)
    }

    /// The active policies.
    pub fn policies(&self) -> Arc<[Arc<PolicyInfo>]> {
        Arc::new([])
    }

    /// Decides one review, bytes in to bytes out.
    pub async fn decide(&self, review: bytes::Bytes, now: i64) -> Result<Answered, EvaluateError> {
        let _ = (review, now);
        Err(EvaluateError::Gone)
    }
}
