//! How long things took, and the quantiles of it.

use std::time::Duration;

/// Durations in the order they were taken.
#[derive(Debug, Default, Clone)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// The quantiles of `[0, 1]` in milliseconds; nothing took no time.
    pub(crate) fn quantiles<const N: usize>(&self, wanted: [f64; N]) -> [f64; N] {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        wanted.map(|quantile| {
            let index = (quantile * sorted.len().saturating_sub(1) as f64).round() as usize;
            sorted.get(index).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
        })
    }
}
