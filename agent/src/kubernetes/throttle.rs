//! How fast the API server is asked for objects: never more than 11 requests in any second, however much there is to
//! look at, so that with everything else the agent asks it stays below 20.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Requests that may be made at once after a rest.
const BURST: u32 = 2;
/// The time that one request costs. With the burst that makes 11 in a second.
const COST: Duration = Duration::from_nanos(1_000_000_000 / 10);

/// A bucket of tokens that fills with time.
#[derive(Debug)]
pub(super) struct Throttle {
    /// When the bucket will be full again.
    full_at: Mutex<Instant>,
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self { full_at: Mutex::new(Instant::now()) }
    }

    /// Waits until one more request may be made. Those who wait are served in their order; nothing is held meanwhile,
    /// because a follower keeps the request for its next page while it waits for another.
    pub(super) async fn turn(&self) {
        let due = due(&mut self.full_at.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        tokio::time::sleep_until(due).await;
    }
}

/// When the request may be made. Its cost is taken at once.
fn due(full_at: &mut Instant, now: Instant) -> Instant {
    *full_at = (*full_at).max(now) + COST;
    now.max(*full_at - COST * BURST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn nobody_waits_for_one_that_does_not_come() {
        let throttle = Throttle::new();
        for _ in 0..BURST {
            throttle.turn().await;
        }
        let mut laid_aside = Box::pin(throttle.turn());
        assert!((&mut laid_aside).now_or_never().is_none());
        tokio::time::timeout(Duration::from_secs(30), throttle.turn()).await.expect("another gets its turn");
        laid_aside.await;
    }

    #[test]
    fn no_second_has_more_than_eleven_requests() {
        let mut now = Instant::now();
        let (mut full_at, mut made) = (now, vec![]);
        for rest in [0, 0, 3] {
            now += Duration::from_secs(rest);
            for _ in 0..40 {
                now = due(&mut full_at, now);
                made.push(now);
            }
        }
        let busiest = made.iter().map(|start| {
            let end = *start + Duration::from_secs(1);
            made.iter().filter(|at| (*start..end).contains(at)).count()
        });
        assert_eq!(busiest.max(), Some(11));
        let idle = now + Duration::from_secs(10);
        assert_eq!(due(&mut full_at, idle), idle, "after a rest nobody waits");
    }
}
