//! New connections one after the other: when thousands of agents come back at once, handshakes and first requests are
//! spread over some seconds instead of starving those that are being served.

use axum_server::accept::Accept;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// The time from one connection to the next.
const GAP: Duration = Duration::from_micros(1_250);
/// So many come without waiting after a quiet time.
const AT_ONCE: u32 = 400;
/// Who would have to wait longer is let go, and comes back later.
const LONGEST: Duration = Duration::from_secs(15);

/// Lets connections in at a pace.
#[derive(Debug, Clone)]
pub(super) struct Pace<A> {
    inner: A,
    /// When the next one would be let in, if none had come early.
    next: Arc<Mutex<Instant>>,
}

impl<A> Pace<A> {
    /// In front of another acceptor.
    pub(super) fn new(inner: A) -> Self {
        Self { inner, next: Arc::new(Mutex::new(Instant::now())) }
    }

    /// When a connection that comes now is let in; not at all when too many wait.
    fn turn(&self, now: Instant) -> Option<Instant> {
        let mut next = self.next.lock().expect("no holder of the lock panics");
        let credit = GAP * AT_ONCE;
        let turn = (*next).max(now.checked_sub(credit).unwrap_or(now));
        if turn > now + LONGEST {
            return None;
        }
        *next = turn + GAP;
        Some(turn.max(now))
    }
}

impl<I, S, A> Accept<I, S> for Pace<A>
where
    A: Accept<I, S> + Clone + Send + 'static,
    A::Future: Send,
    I: Send + 'static,
    S: Send + 'static,
{
    type Stream = A::Stream;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(A::Stream, A::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (turn, inner) = (self.turn(Instant::now()), self.inner.clone());
        Box::pin(async move {
            let turn = turn.ok_or_else(|| io::Error::other("too many connections wait"))?;
            tokio::time::sleep_until(turn).await;
            inner.accept(stream, service).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_come_at_once_until_there_are_many() {
        let pace = Pace::new(());
        let now = Instant::now() + Duration::from_secs(60);
        let turns: Vec<_> = (0..1_400).map(|_| pace.turn(now)).collect();
        assert!(turns[..400].iter().all(|turn| *turn == Some(now)), "a small fleet does not notice");
        let last = turns[1_399].unwrap() - now;
        assert!(last > GAP * 990 && last < GAP * 1_010, "{last:?}");
        let refused = (0..20_000).filter(|_| pace.turn(now).is_none()).count();
        assert!(refused > 0, "nobody waits for ever");
    }
}
