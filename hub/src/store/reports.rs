//! Reports, exactly once: the cursor of a boot moves in the transaction of the rows. Reports of several agents share a
//! transaction; each is looked at on its own, and their rows are written together.

mod failures;

use super::bulk::Upsert;
use super::names::Names;
use super::recent::Recent;
use super::violations::Bounds;
use super::{Tx, placeholders};
use crate::access::Agent;
use std::collections::{BTreeSet, HashMap};
use writ_policy::NamespaceName;
use writ_policy::wire::{Report, ViolationKey};

/// Of all agents that the cluster ever had: one that enrolls anew sends on what it spooled before.
const CURSORS: &str = "
    SELECT cursors.boot, agents.cluster_id, MAX(cursors.sequence), MAX(cursors.gap_at)
    FROM cursors JOIN agents ON agents.id = cursors.agent_id
    WHERE cursors.boot IN ";
const MOVE_CURSORS: Upsert<'static> = Upsert {
    into: "INSERT INTO cursors (agent_id, boot, sequence, received_at, dropped, gap_at)",
    on_conflict: "ON CONFLICT (agent_id, boot) DO UPDATE SET sequence = excluded.sequence,
        received_at = excluded.received_at, dropped = cursors.dropped + excluded.dropped, gap_at = excluded.gap_at",
};

/// A report that may be stored: its rows are within bounds.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Who sent it.
    pub agent: Agent,
    /// What it says, times set right.
    pub report: Report,
    /// Whether the agent's clock is so wrong that its times cannot be compared with earlier ones.
    pub clock_is_wrong: bool,
}

/// What came of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Everything of this boot up to this sequence is stored.
    pub up_to: u64,
    /// It was stored before; nothing was written.
    pub repeated: bool,
}

/// How far the reports of a boot are stored.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    sequence: u64,
    gap_at: i64,
}

/// A boot of an agent of a cluster.
type Boot = (i64, String);

impl Tx {
    /// Stores reports and moves their cursors. What is told of each is in the order of the reports. Nobody else stores
    /// reports of these clusters until the transaction ends: one that is sent to two hubs at once is stored once.
    pub async fn save_reports(
        &mut self,
        reports: &[Accepted],
        names: &mut Names,
        bounds: Bounds,
        now: i64,
    ) -> sqlx::Result<Vec<Stored>> {
        self.alone_with_reports(reports.iter().map(|accepted| accepted.agent.cluster_id).collect()).await?;
        let mut cursors = self.cursors(reports).await?;
        let mut news: Vec<News<'_>> = vec![];
        let mut stored = Vec::with_capacity(reports.len());
        for accepted in reports {
            let cursor = cursors.entry(boot_of(accepted)).or_default();
            let repeated = accepted.report.sequence <= cursor.sequence;
            if !repeated {
                let is_gap = accepted.report.sequence > cursor.sequence + 1 || accepted.report.dropped > 0;
                cursor.gap_at = if is_gap { accepted.report.closed_at.max(cursor.gap_at) } else { cursor.gap_at };
                cursor.sequence = accepted.report.sequence;
                news.push(News { accepted, gap_at: cursor.gap_at });
            }
            stored.push(Stored { up_to: cursor.sequence, repeated });
        }
        self.save_news(&news, names, bounds, now).await?;
        Ok(stored)
    }

    async fn save_news(&mut self, news: &[News<'_>], names: &mut Names, bounds: Bounds, now: i64) -> sqlx::Result<()> {
        if news.is_empty() {
            return Ok(());
        }
        self.intern_all(names_of(news), names).await?;
        let mut recent = Recent::of(news, names);
        for failure in self.save_failures(news, names, now).await? {
            recent.add_stored(failure, names);
        }
        self.append_recent(&recent).await?;
        self.save_violations(news, names, bounds, now).await?;
        self.move_cursors(news, now).await
    }

    async fn cursors(&mut self, reports: &[Accepted]) -> sqlx::Result<HashMap<Boot, Cursor>> {
        let boots: BTreeSet<String> = reports.iter().map(|accepted| accepted.report.boot.to_string()).collect();
        let boots: Vec<String> = boots.into_iter().collect();
        let mut cursors = HashMap::new();
        for piece in super::bulk::pieces(&boots, usize::MAX) {
            let text = [CURSORS, &placeholders(1, piece.len()), " GROUP BY cursors.boot, agents.cluster_id"].concat();
            let rows: Vec<(String, i64, i64, i64)> = on!(tx self, |connection| {
                let query = sqlx::query_as(sqlx::AssertSqlSafe(text));
                piece.iter().fold(query, |query, boot| query.bind(boot.as_str())).fetch_all(connection).await
            })?;
            for (boot, cluster, sequence, gap_at) in rows {
                cursors.insert((cluster, boot), Cursor { sequence: sequence as u64, gap_at });
            }
        }
        Ok(cursors)
    }

    async fn move_cursors(&mut self, news: &[News<'_>], now: i64) -> sqlx::Result<()> {
        // One row per agent and boot: several reports of one boot move it to the last.
        let mut rows: HashMap<(&str, uuid::Uuid), (u64, u64, i64)> = HashMap::new();
        for News { accepted: Accepted { agent, report, .. }, gap_at } in news {
            let row = rows.entry((agent.id.as_str(), report.boot)).or_default();
            *row = (report.sequence, row.1 + report.dropped, *gap_at);
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_unstable();
        let rows = rows.into_iter().map(|((agent, boot), (sequence, dropped, gap_at))| {
            [agent.into(), boot.to_string().into(), sequence.into(), now.into(), dropped.into(), gap_at.into()]
        });
        self.upsert(MOVE_CURSORS, &rows.collect::<Vec<_>>()).await
    }
}

/// A report that was not stored before.
#[derive(Clone, Copy)]
pub(super) struct News<'r> {
    pub(super) accepted: &'r Accepted,
    /// When reports of this boot were last lost, by the agent's clock.
    pub(super) gap_at: i64,
}

impl<'r> News<'r> {
    pub(super) fn report(&self) -> &'r Report {
        &self.accepted.report
    }

    pub(super) fn cluster(&self) -> i64 {
        self.accepted.agent.cluster_id
    }
}

fn boot_of(accepted: &Accepted) -> Boot {
    (accepted.agent.cluster_id, accepted.report.boot.to_string())
}

/// Every name that the rows mean by its number.
fn names_of<'r>(news: &[News<'r>]) -> BTreeSet<&'r str> {
    let mut names = BTreeSet::new();
    for report in news.iter().map(News::report) {
        for failure in &report.failures {
            names.extend([failure.policy.as_str(), failure.code.as_str(), &failure.kind, failure.revision.as_str()]);
            names.insert(namespace(&failure.namespace));
        }
        for count in &report.policy_counts {
            names.extend([namespace(&count.namespace), count.policy.as_str(), count.revision.as_str()]);
        }
        names.extend(report.review_counts.iter().map(|count| namespace(&count.namespace)));
        for violation in &report.violations {
            names.insert(violation.revision.as_str());
            names.extend(names_of_key(&violation.key));
        }
        names.extend(report.fixed.iter().map(|fixed| fixed.revision.as_str()));
        names.extend(report.audits.iter().map(|pass| pass.revision.as_str()));
    }
    names
}

fn names_of_key(key: &ViolationKey) -> [&str; 3] {
    [key.policy.as_str(), namespace(&key.namespace), &key.kind]
}

/// The name of a namespace; cluster-scoped objects have the empty one.
pub(super) fn namespace(name: &Option<NamespaceName>) -> &str {
    name.as_ref().map_or("", NamespaceName::as_str)
}

#[cfg(test)]
mod model;
