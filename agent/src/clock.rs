//! The one place that reads the wall clock. Everything else takes `now` as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-11-21T10:05:00Z`.
pub fn text(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// Unix milliseconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
