//! The time, as an argument: tests choose it, everything else takes the system's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells Unix milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// A clock that stands still until it is set.
    pub fn fixed(now: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now))))
    }

    /// Moves a fixed clock; the system's is left alone.
    pub fn set(&self, now: i64) {
        if let Some(fixed) = &self.0 {
            fixed.store(now, Ordering::Relaxed);
        }
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        match &self.0 {
            Some(fixed) => fixed.load(Ordering::Relaxed),
            None => jiff::Timestamp::now().as_millisecond(),
        }
    }
}
