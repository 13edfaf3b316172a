//! How fast the API server is asked. Everything together: never more than 19 requests in any second, also at the start,
//! when everything is asked for at once. Objects alone: never more than 12, however much there is to look at, so that
//! what else the agent asks does not wait behind them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Requests of every kind, and of lists and watches of objects, within [`PERIOD`].
const EVERYTHING: usize = 19;
const OBJECTS: usize = 12;
/// A second as the API server sees it: requests take longer on their way now and then.
const PERIOD: Duration = Duration::from_millis(1_100);

/// So many requests in any period: nobody waits before there were as many, so that a start is not slowed down.
#[derive(Debug)]
pub(super) struct Throttle {
    most: usize,
    /// When the last of them were made, or will be.
    made: Mutex<VecDeque<Instant>>,
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

    fn new(most: usize) -> Self {
        Self { most, made: Mutex::new(VecDeque::with_capacity(most)) }
    }

    /// Waits until one more request may be made. Those who wait are served in their order; nothing is held meanwhile,
    /// because a follower keeps the request for its next page while it waits for another.
    pub(super) async fn turn(&self) {
        let now = Instant::now();
        let due = self.due(now);
        if due > now {
            tokio::time::sleep_until(due).await;
        }
    }

    /// When the request may be made. It counts at once.
    fn due(&self, now: Instant) -> Instant {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = if made.len() < self.most { None } else { made.pop_front() };
        let due = earliest.map_or(now, |earliest| now.max(earliest + PERIOD));
        made.push_back(due);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn nobody_waits_for_one_that_does_not_come() {
        let throttle = Throttle::of_objects();
        for _ in 0..OBJECTS {
            assert!(throttle.turn().now_or_never().is_some(), "a start waits for nothing");
        }
        let mut laid_aside = Box::pin(throttle.turn());
        assert!((&mut laid_aside).now_or_never().is_none());
        tokio::time::timeout(Duration::from_secs(30), throttle.turn()).await.expect("another gets its turn");
        laid_aside.await;
    }

    #[test]
    fn no_second_has_more_requests_than_it_may() {
        for (throttle, most) in [(Throttle::of_everything(), EVERYTHING), (Throttle::of_objects(), OBJECTS)] {
            let (mut now, mut made) = (Instant::now(), vec![]);
            for rest in [0, 0, 3] {
                now += Duration::from_secs(rest);
                for _ in 0..60 {
                    now = throttle.due(now);
                    made.push(now);
                }
            }
            let busiest = made.iter().map(|start| {
                let end = *start + PERIOD;
                made.iter().filter(|at| (*start..end).contains(at)).count()
            });
            assert_eq!(busiest.max(), Some(most));
            let idle = now + Duration::from_secs(10);
            assert_eq!(throttle.due(idle), idle, "after a rest nobody waits");
        }
    }
}
