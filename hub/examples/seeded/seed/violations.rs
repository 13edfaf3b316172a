//! What audit would have found: open and fixed violations of the made-up fleet.

use super::{CLUSTERS, COMMITS, Dice, HOUR, MESSAGES, MINUTE, NAMESPACES, POLICIES, commit, denies};
use writ_hub::store::Tx;
use writ_hub::store::fixture::SeedViolation;

const WORKLOADS: [&str; 9] =
    ["cart", "ledger", "indexer", "trainer", "gateway", "frontend", "batch-import", "mail", "reports"];

pub(super) async fn fill(tx: &mut Tx, now: i64) -> anyhow::Result<()> {
    let mut dice = Dice(23);
    for index in 0..180_u64 {
        let place = dice.below(12) as usize;
        let (code, policy, _, severity, of) = POLICIES[place];
        let (cluster, _, level, _) = CLUSTERS[dice.below(7) as usize];
        let (namespace, _) = NAMESPACES[dice.below(7) as usize];
        let owner = WORKLOADS[dice.below(9) as usize];
        let (kind, workload) = match of {
            "PodDisruptionBudget" => ("policy/PodDisruptionBudget", format!("PodDisruptionBudget/{owner}")),
            "Service" => ("Service", format!("Service/{owner}")),
            _ => ("Pod", format!("Deployment/{owner}")),
        };
        let object = if kind == "Pod" { format!("{owner}-7d9c5b8f6d-x{index:03}") } else { owner.to_owned() };
        let opened_at = now - (index as i64 * 14 * MINUTE + dice.below(9) as i64 * MINUTE);
        let began = COMMITS.iter().rposition(|commit| !commit.3 && now - commit.0 * MINUTE <= opened_at).unwrap_or(0);
        let is_fixed = dice.below(10) < 3;
        let action = if denies(level, severity) { "deny" } else { "warn" };
        let exemption = if dice.below(12) == 0 { "legacy-node-agent" } else { "" };
        tx.seed_violation(&SeedViolation {
            id: &format!("f0000000-0000-8000-8000-{index:012}"),
            cluster,
            namespace,
            policy,
            code,
            severity,
            action: if exemption.is_empty() { action } else { "dryrun" },
            exemption,
            message: MESSAGES[place],
            kind,
            object: &object,
            workload: &workload,
            revision: &commit(began),
            opened_at,
            seen_at: now - dice.below(9) as i64 * MINUTE,
            fixed_at: is_fixed.then(|| (opened_at + HOUR).min(now)),
        })
        .await?;
    }
    Ok(())
}
