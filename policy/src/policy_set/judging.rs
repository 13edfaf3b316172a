//! Who is judging at this moment, for another thread that watches: a policy that cannot be interrupted tells nobody.

use crate::PolicyCode;
use crate::decision::PolicyInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A look at a policy set in use elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Judging {
    policies: Vec<Arc<PolicyInfo>>,
    /// One more than the position; zero when nobody judges.
    place: Arc<AtomicUsize>,
}

impl Judging {
    pub(super) fn new(policies: &[Arc<PolicyInfo>]) -> Self {
        Self { policies: policies.to_vec(), place: Arc::default() }
    }

    /// The policy that judges now.
    pub fn policy(&self) -> Option<PolicyCode> {
        let place = self.place.load(Ordering::Relaxed).checked_sub(1)?;
        self.policies.get(place).map(|policy| policy.code.clone())
    }

    pub(super) fn begins(&self, position: usize) {
        self.place.store(position + 1, Ordering::Relaxed);
    }

    pub(super) fn ends(&self) {
        self.place.store(0, Ordering::Relaxed);
    }
}
