//! What got better or worse: the share of failures before and after a moment, and whether the difference says anything.
//! Pure. Two reviews never make a headline: a difference counts when chance does not explain it and when it is large
//! enough to matter to a person.

mod effect;
mod movers;
mod since;

pub use effect::{Effect, Reach};
pub use movers::{Moved, Mover, Subject, explain};
pub use since::Since;

use serde::Serialize;

/// How many standard errors apart two shares must be. Objects of one workload fail together and many rows are compared
/// at once, so that it is twice of what a single comparison of independent reviews would ask for.
const STANDARD_ERRORS: f64 = 4.0;
/// Fewer judged on either side say nothing.
const FEWEST_JUDGED: i64 = 30;
/// A smaller difference of shares, however certain, is nobody's news.
const SMALLEST_MOVE: f64 = 0.005;

/// How many failed of those that were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Rate {
    /// Judged: reviews of a namespace or a cluster, evaluations of a policy.
    pub judged: i64,
    /// Of these, failing.
    pub failing: i64,
}

/// What became of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Movement {
    /// A larger share fails.
    Worse,
    /// A smaller share fails.
    Better,
    /// It fails now, and judged nothing before that it could be compared with.
    New,
    /// No difference that chance does not explain, or none that matters.
    Same,
}

impl Rate {
    /// The share that fails, 0 to 1; nothing judged has none.
    pub fn share(self) -> Option<f64> {
        (self.judged > 0).then(|| self.failing as f64 / self.judged as f64)
    }
}

impl Movement {
    /// What became of a rate: by the test of two proportions, pooled.
    pub fn of(before: Rate, after: Rate) -> Self {
        let (Some(share), true) = (after.share(), after.judged >= FEWEST_JUDGED) else { return Self::Same };
        if before.judged == 0 {
            return if share >= SMALLEST_MOVE { Self::New } else { Self::Same };
        }
        let moved = share - before.share().unwrap_or(0.0);
        if before.judged < FEWEST_JUDGED || moved.abs() < SMALLEST_MOVE || !is_beyond_chance(before, after, moved) {
            return Self::Same;
        }
        if moved > 0.0 { Self::Worse } else { Self::Better }
    }

    /// The word that pages and the API use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::New => "new",
            Self::Same => "same",
        }
    }
}

/// How many more failed since than would have at the share before; negative when fewer. What is new counts whole.
pub fn excess(before: Rate, after: Rate) -> f64 {
    after.failing as f64 - before.share().unwrap_or(0.0) * after.judged as f64
}

fn is_beyond_chance(before: Rate, after: Rate, moved: f64) -> bool {
    let (first, second) = (before.judged as f64, after.judged as f64);
    let pooled = ((before.failing + after.failing) as f64 / (first + second)).clamp(0.0, 1.0);
    let error = (pooled * (1.0 - pooled) * (1.0 / first + 1.0 / second)).sqrt();
    moved.abs() > STANDARD_ERRORS * error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(failing: i64, judged: i64) -> Rate {
        Rate { judged, failing }
    }

    #[test]
    fn only_what_chance_does_not_explain_moves() {
        for (before, after, expected) in [
            (rate(0, 2), rate(2, 2), Movement::Same),
            (rate(0, 1_000), rate(2, 2), Movement::Same),
            (rate(10, 100), rate(14, 100), Movement::Same),
            (rate(100, 1_000), rate(200, 1_000), Movement::Worse),
            (rate(200, 1_000), rate(100, 1_000), Movement::Better),
            (rate(0, 1_000), rate(300, 1_000), Movement::Worse),
            (rate(300, 1_000), rate(0, 1_000), Movement::Better),
            // Certain, and nobody's news.
            (rate(1_000_000, 100_000_000), rate(1_200_000, 100_000_000), Movement::Same),
            (rate(0, 0), rate(40, 100), Movement::New),
            (rate(0, 0), rate(0, 100), Movement::Same),
            (rate(40, 100), rate(0, 0), Movement::Same),
            (rate(100, 100), rate(100, 100), Movement::Same),
        ] {
            assert_eq!(Movement::of(before, after), expected, "{before:?} then {after:?}");
        }
    }

    #[test]
    fn excess_weighs_a_share_by_what_it_hit() {
        assert_eq!(excess(rate(100, 1_000), rate(300, 1_000)), 200.0);
        assert_eq!(excess(rate(100, 1_000), rate(5, 100)), -5.0);
        assert_eq!(excess(rate(0, 0), rate(7, 10)), 7.0);
    }
}
