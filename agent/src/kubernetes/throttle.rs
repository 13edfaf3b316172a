//! How fast the API server is asked. Everything together: never more than 19 requests in any second, also at the start,
//! when everything is asked for at once. Objects alone: never more than 12, however much there is to look at, so that
//! what else the agent asks does not wait behind them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Of everything: requests that may be made at once after a rest, and in each second besides.
const EVERYTHING: (u32, u32) = (9, 11);
/// The same of objects.
const OBJECTS: (u32, u32) = (3, 10);

/// A bucket of tokens that fills with time.
#[derive(Debug)]
pub(super) struct Throttle {
    burst: u32,
    /// The time that one request costs.
    cost: Duration,
    /// When the bucket will be full again.
    full_at: Mutex<Instant>,
}

impl Throttle {
    /// For every request.
    pub(super) fn of_everything() -> Self {
        Self::new(EVERYTHING)
    }

    /// For lists and watches of objects.
    pub(super) fn of_objects() -> Self {
        Self::new(OBJECTS)
    }

    fn new((burst, per_second): (u32, u32)) -> Self {
        Self {
            burst,
            cost: Duration::from_secs(1) / per_second + Duration::from_nanos(1),
            full_at: Mutex::new(Instant::now()),
        }
    }

    /// Waits until one more request may be made. Those who wait are served in their order; nothing is held meanwhile,
    /// because a follower keeps the request for its next page while it waits for another.
    pub(super) async fn turn(&self) {
        let due = self.due(Instant::now());
        tokio::time::sleep_until(due).await;
    }

    /// When the request may be made. Its cost is taken at once.
    fn due(&self, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        *full_at = (*full_at).max(now) + self.cost;
        now.max(*full_at - self.cost * self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn nobody_waits_for_one_that_does_not_come() {
        let throttle = Throttle::of_objects();
        for _ in 0..OBJECTS.0 {
            throttle.turn().await;
        }
        let mut laid_aside = Box::pin(throttle.turn());
        assert!((&mut laid_aside).now_or_never().is_none());
        tokio::time::timeout(Duration::from_secs(30), throttle.turn()).await.expect("another gets its turn");
        laid_aside.await;
    }

    #[test]
    fn no_second_has_more_requests_than_it_may() {
        for (throttle, most) in [(Throttle::of_everything(), 19), (Throttle::of_objects(), 12)] {
            let (mut now, mut made) = (Instant::now(), vec![]);
            for rest in [0, 0, 3] {
                now += Duration::from_secs(rest);
                for _ in 0..60 {
                    now = throttle.due(now);
                    made.push(now);
                }
            }
            let busiest = made.iter().map(|start| {
                let end = *start + Duration::from_secs(1);
                made.iter().filter(|at| (*start..end).contains(at)).count()
            });
            assert_eq!(busiest.max(), Some(most));
            let idle = now + Duration::from_secs(10);
            assert_eq!(throttle.due(idle), idle, "after a rest nobody waits");
        }
    }
}
