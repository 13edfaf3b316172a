//! Step: how long a commit takes until every cluster enforces it.

use super::Scenario;
use super::policy::{PATH, text};

/// What a release build on an idle machine is meant to reach, in milliseconds. Told, not judged: this is no bench.
const P50: i64 = 150;
const P99: i64 = 500;

pub(super) async fn measure(scenario: &mut Scenario, commits: u32) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for number in 1..=commits {
        let sentence = format!("Deployment has no label team, edition {number}");
        let made = scenario.commit(PATH, &text(&sentence), &format!("Edition {number}")).await?;
        times.push(scenario.enforced(&made).await?);
    }
    times.sort_unstable();
    let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
    let detail = format!(
        "commit to enforced by 3 of 3: p50 {p50} ms (aim {P50}), p99 {p99} ms (aim {P99}), longest {} ms",
        times.last().copied().unwrap_or_default()
    );
    scenario.report.step(&format!("{commits} commits timed"), true, detail)?;
    scenario
        .report
        .note("timed from before the commit is made (wall clock) to the last agent's active_at (hub's ledger)")
}

/// The nearest-rank percentile of sorted times; 0 for none.
fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let times: Vec<i64> = (1..=50).collect();
        assert_eq!((percentile(&times, 50), percentile(&times, 99)), (25, 50));
        assert_eq!((percentile(&[7], 50), percentile(&[], 99)), (7, 0));
    }
}
