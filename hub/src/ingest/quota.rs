//! How many rows one agent may bring: so many at once, and as many again within a minute.

use std::collections::HashMap;
use std::sync::Mutex;

/// Agents that are remembered; those that are far from their bound are forgotten first.
const MOST: usize = 20_000;

/// What each agent may still bring.
#[derive(Debug)]
pub(super) struct Quota {
    per_minute: u64,
    left: Mutex<HashMap<String, Left>>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    rows: f64,
    at: i64,
}

impl Quota {
    /// So many rows a minute for each agent; 0 for any number.
    pub(super) fn new(per_minute: u64) -> Self {
        Self { per_minute, left: Mutex::default() }
    }

    pub(super) fn rows_per_minute(&self) -> u64 {
        self.per_minute
    }

    /// Takes rows off what the agent may bring, or says after how many seconds it may bring them.
    pub(super) fn take(&self, agent: &str, rows: usize, now: i64) -> Result<(), u64> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let most = self.per_minute as f64;
        let per_ms = most / 60_000.0;
        // What is larger than the bound is taken when nothing was brought for a minute, or it never could be.
        let wanted = (rows as f64).min(most);
        let mut agents = self.left.lock().expect("no holder of the lock panics");
        if agents.len() >= MOST {
            agents.retain(|_, left| left.rows + (now - left.at).max(0) as f64 * per_ms < most);
        }
        let left = agents.entry(agent.to_owned()).or_insert(Left { rows: most, at: now });
        left.rows = (left.rows + (now - left.at).max(0) as f64 * per_ms).min(most);
        left.at = now;
        if left.rows < wanted {
            return Err(((wanted - left.rows) / per_ms / 1000.0).ceil().max(1.0) as u64);
        }
        left.rows -= wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_may_bring_so_much_at_once_and_as_much_again_within_a_minute() {
        let quota = Quota::new(600);
        assert_eq!(quota.take("a", 500, 0), Ok(()));
        assert_eq!(quota.take("a", 500, 0), Err(40));
        assert_eq!(quota.take("b", 500, 0), Ok(()), "each has its own");
        assert_eq!(quota.take("a", 500, 39_000), Err(1));
        assert_eq!(quota.take("a", 500, 40_000), Ok(()));
        assert_eq!(quota.take("c", 10_000, 0), Ok(()), "or it never could");
        assert_eq!(quota.take("c", 1, 0), Err(1));
        assert_eq!(Quota::new(0).take("a", 1 << 30, 0), Ok(()));
    }
}
