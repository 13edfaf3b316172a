//! Deleting what has grown old, a piece at a time, so that reports are written between two pieces. Nothing that is
//! served, enforced or the newest of its cluster is ever old.

use super::unneeded::KEPT;
use super::{Store, placeholders};
use std::collections::BTreeMap;

/// What grows old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aged {
    /// Failures.
    Failures,
    /// Sums by minute that pages read.
    SumMinutes,
    /// Sums by hour that pages read.
    SumHours,
    /// Sums by quarter of a day that pages read.
    SumQuarters,
    /// Sums by day that pages read.
    SumDays,
    /// Sums by week that pages read.
    SumWeeks,
    /// Counts by hour of where and by which revision each policy judged.
    RollupHours,
    /// The same by day.
    RollupDays,
    /// Changes of open violations by day.
    ViolationDays,
    /// What happened in the life of violations.
    ViolationEvents,
    /// Violations that are fixed, with what happened to them.
    FixedViolations,
    /// How far the reports of boots are stored.
    Cursors,
    /// Enrollment tokens that were used or have expired.
    EnrollmentTokens,
    /// What clusters were told.
    Assignments,
    /// What revisions say in full, of which only the row is kept.
    RevisionBodies,
    /// Their policies, where a later revision describes the policy too.
    RevisionPolicies,
    /// Sessions of people.
    Sessions,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Weeks begin where their number says.
const WEEK_MS: i64 = 7 * DAY_MS;

/// The key of the sums, in its order.
const SUMS: &str = "span, bucket, kind, of_id, subject_id";
/// That of the rollups.
const ROLLUPS: &str = "span, bucket, policy_id, namespace_id, cluster_id, revision_id";
/// Neither what a cluster enforces nor the newest that it was told.
const OLD_ASSIGNMENTS: &str = "
    DELETE FROM assignments WHERE (cluster_id, epoch) IN
        (SELECT old.cluster_id, old.epoch FROM assignments AS old
        JOIN clusters ON clusters.id = old.cluster_id
        WHERE old.issued_at < $1 AND old.epoch <> COALESCE(clusters.active_epoch, 0)
            AND old.epoch < (SELECT MAX(epoch) FROM assignments WHERE cluster_id = old.cluster_id)
        ORDER BY old.cluster_id, old.epoch LIMIT $2)";
const OLD_BODIES: &str = "
    UPDATE revisions SET diagnostics = '[]', fleet = '{}', fleet_file = '', statement = NULL, index_digest = NULL, classes = '{}'
    WHERE id IN (SELECT id FROM revisions
        WHERE seen_at < $1 AND (statement IS NOT NULL OR diagnostics <> '[]') AND NOT ";
const OLD_POLICIES: &str = "
    DELETE FROM revision_policies WHERE (revision_id, policy_id) IN
        (SELECT old.revision_id, old.policy_id FROM revision_policies AS old
        JOIN revisions ON revisions.id = old.revision_id AND revisions.statement IS NULL AND revisions.seen_at < $1
        WHERE EXISTS (SELECT 1 FROM revision_policies AS newer
            WHERE newer.policy_id = old.policy_id AND newer.revision_id > old.revision_id)
        ORDER BY old.revision_id, old.policy_id LIMIT $2)";
const FIXED_VIOLATIONS: &str = "
    SELECT id, cluster_id FROM violations WHERE fixed_at IS NOT NULL AND fixed_at < $1 ORDER BY fixed_at, id LIMIT $2";

impl Aged {
    /// The table, as it is named.
    pub fn table(self) -> &'static str {
        match self {
            Aged::Failures => "failures",
            Aged::SumMinutes | Aged::SumHours | Aged::SumQuarters | Aged::SumDays | Aged::SumWeeks => "sums",
            Aged::RollupHours | Aged::RollupDays => "rollups",
            Aged::ViolationDays => "violation_days",
            Aged::ViolationEvents => "violation_events",
            Aged::FixedViolations => "violations",
            Aged::Cursors => "cursors",
            Aged::EnrollmentTokens => "enrollment_tokens",
            Aged::Assignments => "assignments",
            Aged::RevisionBodies => "revisions",
            Aged::RevisionPolicies => "revision_policies",
            Aged::Sessions => "sessions",
        }
    }

    /// `$1` is the time before which rows are old, `$2` how many go at most.
    fn statement(self) -> String {
        let (key, is_old) = match self {
            Aged::Failures => ("at, id", "at < $1"),
            Aged::SumMinutes => (SUMS, "span = 1 AND bucket < $1"),
            Aged::SumHours => (SUMS, "span = 60 AND bucket < $1"),
            Aged::SumQuarters => (SUMS, "span = 360 AND bucket < $1"),
            Aged::SumDays => (SUMS, "span = 1440 AND bucket < $1"),
            Aged::SumWeeks => (SUMS, "span = 10080 AND bucket < $1"),
            Aged::RollupHours => (ROLLUPS, "span = 60 AND bucket < $1"),
            Aged::RollupDays => (ROLLUPS, "span = 1440 AND bucket < $1"),
            Aged::ViolationDays => ("day, cluster_id, namespace_id, policy_id", "day < $1"),
            Aged::ViolationEvents => ("at, violation_id, event", "at < $1"),
            // Their totals follow, so they are found first.
            Aged::FixedViolations => return FIXED_VIOLATIONS.into(),
            Aged::Cursors => ("agent_id, boot", "received_at < $1"),
            Aged::EnrollmentTokens => ("token_hash", "expires_at < $1"),
            Aged::Assignments => return OLD_ASSIGNMENTS.into(),
            Aged::RevisionBodies => return [OLD_BODIES, KEPT, " ORDER BY id LIMIT $2)"].concat(),
            Aged::RevisionPolicies => return OLD_POLICIES.into(),
            Aged::Sessions => ("session_hash", "ends_at < $1"),
        };
        let table = self.table();
        format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {is_old} ORDER BY {key} LIMIT $2)"
        )
    }

    /// A time in the unit of the table. What is taken off a longer sum goes with it and not before: minutes by the hour, the
    /// others by the week. Else a window would hold what it should be spared.
    fn time(self, at: i64) -> i64 {
        let (hour, week) = (at.div_euclid(HOUR_MS) * HOUR_MS, at.div_euclid(WEEK_MS) * WEEK_MS);
        match self {
            Aged::SumMinutes => hour.div_euclid(MINUTE_MS),
            Aged::SumHours => week.div_euclid(HOUR_MS),
            Aged::SumQuarters => week.div_euclid(6 * HOUR_MS),
            Aged::SumDays => week.div_euclid(DAY_MS),
            Aged::SumWeeks => week.div_euclid(WEEK_MS),
            Aged::RollupHours => at.div_euclid(HOUR_MS),
            Aged::RollupDays | Aged::ViolationDays => at.div_euclid(DAY_MS),
            _ => at,
        }
    }
}

impl Store {
    /// Deletes at most `most` rows that are older than this time (Unix milliseconds), and says how many.
    pub async fn delete_aged(&self, aged: Aged, before: i64, most: i64) -> sqlx::Result<u64> {
        // Whole days where they have partitions; what is left is deleted.
        match aged {
            Aged::Failures => self.drop_before("failures", before).await?,
            Aged::SumMinutes => self.drop_before("sums_minutes", before).await?,
            _ => 0,
        };
        let before = aged.time(before);
        if aged == Aged::FixedViolations {
            return self.delete_fixed_violations(before, most).await;
        }
        on!(write self, |pool| {
            let statement = sqlx::query(sqlx::AssertSqlSafe(aged.statement())).bind(before).bind(most);
            statement.execute(pool).await.map(|done| done.rows_affected())
        })
    }

    /// With what happened to them; the totals of their clusters follow.
    async fn delete_fixed_violations(&self, before: i64, most: i64) -> sqlx::Result<u64> {
        const KEPT: &str = "UPDATE violation_totals SET rows_kept = rows_kept - $2 WHERE cluster_id = $1";
        let mut tx = self.begin().await?;
        let found: Vec<(String, i64)> = on!(tx &mut tx, |connection| sqlx::query_as(FIXED_VIOLATIONS).bind(before).bind(most).fetch_all(connection).await)?;
        let mut clusters: BTreeMap<i64, i64> = BTreeMap::new();
        found.iter().for_each(|(_, cluster)| *clusters.entry(*cluster).or_default() += 1);
        tx.alone_with_reports(clusters.keys().copied().collect()).await?;
        let mut deleted = 0;
        for piece in super::bulk::pieces(&found, usize::MAX) {
            let ids = placeholders(1, piece.len());
            // One that opened again meanwhile stays.
            let rows = format!("DELETE FROM violations WHERE fixed_at IS NOT NULL AND id IN {ids}");
            let events = format!(
                "DELETE FROM violation_events WHERE violation_id IN {ids}
                    AND NOT EXISTS (SELECT 1 FROM violations WHERE violations.id = violation_id)"
            );
            for (text, counts) in [(rows, true), (events, false)] {
                let done = on!(tx &mut tx, |connection| {
                    let query = sqlx::query(sqlx::AssertSqlSafe(text));
                    let query = piece.iter().fold(query, |query, (id, _)| query.bind(id.as_str()));
                    query.execute(connection).await.map(|done| done.rows_affected())
                })?;
                deleted += if counts { done } else { 0 };
            }
        }
        if deleted != found.len() as u64 {
            // Another transaction changed one of them: nothing of this piece happens, the next round sees it as it is.
            return Ok(0);
        }
        for (cluster, count) in clusters {
            on!(tx &mut tx, |connection| {
                sqlx::query(KEPT).bind(cluster).bind(count).execute(connection).await.map(drop)
            })?;
        }
        tx.commit().await.map(|()| deleted)
    }

    /// Gives the disk back at most so many pages that hold nothing, and says whether there may be more. PostgreSQL does
    /// so by itself.
    pub async fn reclaim(&self, pages: u32) -> sqlx::Result<bool> {
        let Store::Sqlite { writer, .. } = self else { return Ok(false) };
        let text = format!("PRAGMA incremental_vacuum({pages})");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(writer).await?;
        let (free, all) = self.pages(writer).await?;
        // Some are left to be used again: a file that grows and shrinks with every round is work for nothing.
        Ok(free > all / 20 && free > i64::from(pages))
    }

    async fn pages(&self, pool: &sqlx::SqlitePool) -> sqlx::Result<(i64, i64)> {
        // A file that an early version made gives nothing back: pages are used again. A restored backup of it does.
        let can: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(pool).await?;
        let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(pool).await?;
        let all: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(pool).await?;
        Ok((if can == 2 { free } else { 0 }, all))
    }

    /// How many bytes the database has on disk.
    pub async fn bytes(&self) -> sqlx::Result<i64> {
        match self {
            Store::Sqlite { readers, .. } => {
                let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(readers).await?;
                let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(readers).await?;
                Ok(pages * size)
            }
            Store::Postgres { readers, .. } => {
                sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(readers).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;

    /// All that is kept is what is told: a week has no days that are gone.
    #[tokio::test]
    async fn sums_of_a_week_grow_old_together() {
        const SUMS: [Aged; 4] = [Aged::SumHours, Aged::SumQuarters, Aged::SumDays, Aged::SumWeeks];
        let fresh = Fresh::new().await;
        let week = 2_968 * WEEK_MS;
        for day in 0..9 {
            let minute = (week + day * DAY_MS) / MINUTE_MS;
            let text = format!("INSERT INTO recent VALUES (0, {minute}, 1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)");
            let added = sqlx::AssertSqlSafe(text);
            on!(write & fresh.store, |pool| sqlx::query(added).execute(pool).await.map(drop)).unwrap();
        }
        fresh.store.fold(100, 0).await.unwrap();
        let mut told = vec![];
        for before in [week + 3 * DAY_MS, week + 7 * DAY_MS + 1] {
            for aged in SUMS {
                fresh.store.delete_aged(aged, before, 1_000).await.unwrap();
            }
            told.push(fresh.store.counts(0).await.unwrap().reviews);
        }
        assert_eq!(told, [9, 2]);
    }

    #[tokio::test]
    async fn pages_that_hold_nothing_go_back_to_the_disk() {
        let fresh = Fresh::new().await;
        let Store::Sqlite { writer, .. } = &fresh.store else { return };
        let fill = "INSERT INTO hub_settings (name, value)
            WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)
            SELECT 'n' || x, hex(zeroblob(1000)) FROM n";
        sqlx::query(fill).execute(writer).await.unwrap();
        let full = fresh.store.bytes().await.unwrap();
        sqlx::query("DELETE FROM hub_settings").execute(writer).await.unwrap();
        while fresh.store.reclaim(100).await.unwrap() {}
        assert!(fresh.store.bytes().await.unwrap() < full / 4);
    }
}
