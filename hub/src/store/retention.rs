//! Deleting what has grown old, a piece at a time, so that reports are written between two pieces. Nothing that is
//! served, enforced or the newest of its cluster is ever old.

use super::{Store, placeholders};
use std::collections::BTreeMap;

/// What grows old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aged {
    /// Failures.
    Failures,
    /// Counts of policies by minute.
    PolicyMinutes,
    /// Counts of reviews by minute.
    ReviewMinutes,
    /// Rollups of policies by hour.
    PolicyHours,
    /// Rollups of policies by day.
    PolicyDays,
    /// Rollups of reviews by hour.
    ReviewHours,
    /// Rollups of reviews by day.
    ReviewDays,
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
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Aged {
    /// The table, as it is named.
    pub fn table(self) -> &'static str {
        match self {
            Aged::Failures => "failures",
            Aged::PolicyMinutes => "policy_minutes",
            Aged::ReviewMinutes => "review_minutes",
            Aged::PolicyHours => "policy_hours",
            Aged::PolicyDays => "policy_days",
            Aged::ReviewHours => "review_hours",
            Aged::ReviewDays => "review_days",
            Aged::ViolationDays => "violation_days",
            Aged::ViolationEvents => "violation_events",
            Aged::FixedViolations => "violations",
            Aged::Cursors => "cursors",
            Aged::EnrollmentTokens => "enrollment_tokens",
            Aged::Assignments => "assignments",
        }
    }

    /// `$1` is the time before which rows are old, `$2` how many go at most.
    fn statement(self) -> &'static str {
        match self {
            Aged::Failures => {
                "DELETE FROM failures WHERE (at, id) IN
                    (SELECT at, id FROM failures WHERE at < $1 ORDER BY at, id LIMIT $2)"
            }
            Aged::PolicyMinutes => {
                "DELETE FROM policy_minutes WHERE (minute, cluster_id, namespace_id, policy_id) IN
                    (SELECT minute, cluster_id, namespace_id, policy_id FROM policy_minutes WHERE minute < $1
                    ORDER BY minute, cluster_id, namespace_id, policy_id LIMIT $2)"
            }
            Aged::ReviewMinutes => {
                "DELETE FROM review_minutes WHERE (minute, cluster_id, namespace_id) IN
                    (SELECT minute, cluster_id, namespace_id FROM review_minutes WHERE minute < $1
                    ORDER BY minute, cluster_id, namespace_id LIMIT $2)"
            }
            Aged::PolicyHours => {
                "DELETE FROM policy_hours WHERE (hour, cluster_id, namespace_id, policy_id, revision_id) IN
                    (SELECT hour, cluster_id, namespace_id, policy_id, revision_id FROM policy_hours WHERE hour < $1
                    ORDER BY hour, cluster_id, namespace_id, policy_id, revision_id LIMIT $2)"
            }
            Aged::PolicyDays => {
                "DELETE FROM policy_days WHERE (day, cluster_id, namespace_id, policy_id, revision_id) IN
                    (SELECT day, cluster_id, namespace_id, policy_id, revision_id FROM policy_days WHERE day < $1
                    ORDER BY day, cluster_id, namespace_id, policy_id, revision_id LIMIT $2)"
            }
            Aged::ReviewHours => {
                "DELETE FROM review_hours WHERE (hour, cluster_id, namespace_id) IN
                    (SELECT hour, cluster_id, namespace_id FROM review_hours WHERE hour < $1
                    ORDER BY hour, cluster_id, namespace_id LIMIT $2)"
            }
            Aged::ReviewDays => {
                "DELETE FROM review_days WHERE (day, cluster_id, namespace_id) IN
                    (SELECT day, cluster_id, namespace_id FROM review_days WHERE day < $1
                    ORDER BY day, cluster_id, namespace_id LIMIT $2)"
            }
            Aged::ViolationDays => {
                "DELETE FROM violation_days WHERE (day, cluster_id, namespace_id, policy_id) IN
                    (SELECT day, cluster_id, namespace_id, policy_id FROM violation_days WHERE day < $1
                    ORDER BY day, cluster_id, namespace_id, policy_id LIMIT $2)"
            }
            Aged::ViolationEvents => {
                "DELETE FROM violation_events WHERE (violation_id, at, event) IN
                    (SELECT violation_id, at, event FROM violation_events WHERE at < $1
                    ORDER BY at, violation_id, event LIMIT $2)"
            }
            Aged::FixedViolations => {
                "SELECT id, cluster_id FROM violations WHERE fixed_at IS NOT NULL AND fixed_at < $1
                    ORDER BY fixed_at, id LIMIT $2"
            }
            Aged::Cursors => {
                "DELETE FROM cursors WHERE (agent_id, boot) IN
                    (SELECT agent_id, boot FROM cursors WHERE received_at < $1 ORDER BY agent_id, boot LIMIT $2)"
            }
            Aged::EnrollmentTokens => {
                "DELETE FROM enrollment_tokens WHERE token_hash IN
                    (SELECT token_hash FROM enrollment_tokens WHERE expires_at < $1 ORDER BY token_hash LIMIT $2)"
            }
            Aged::Assignments => {
                "DELETE FROM assignments WHERE (cluster_id, epoch) IN
                    (SELECT old.cluster_id, old.epoch FROM assignments AS old
                    JOIN clusters ON clusters.id = old.cluster_id
                    WHERE old.issued_at < $1 AND old.epoch <> COALESCE(clusters.active_epoch, 0)
                        AND old.epoch < (SELECT MAX(epoch) FROM assignments WHERE cluster_id = old.cluster_id)
                    ORDER BY old.cluster_id, old.epoch LIMIT $2)"
            }
        }
    }

    /// A time in the unit of the table.
    fn time(self, at: i64) -> i64 {
        match self {
            Aged::PolicyMinutes | Aged::ReviewMinutes => at.div_euclid(MINUTE_MS),
            Aged::PolicyHours | Aged::ReviewHours => at.div_euclid(HOUR_MS),
            Aged::PolicyDays | Aged::ReviewDays | Aged::ViolationDays => at.div_euclid(DAY_MS),
            _ => at,
        }
    }
}

impl Store {
    /// Deletes at most `most` rows that are older than this time (Unix milliseconds), and says how many.
    pub async fn delete_aged(&self, aged: Aged, before: i64, most: i64) -> sqlx::Result<u64> {
        // Whole days where they have partitions; what is left is deleted.
        if matches!(aged, Aged::Failures | Aged::PolicyMinutes | Aged::ReviewMinutes) {
            self.drop_before(aged.table(), before).await?;
        }
        let before = aged.time(before);
        if aged == Aged::FixedViolations {
            return self.delete_fixed_violations(before, most).await;
        }
        on!(write self, |pool| {
            let statement = sqlx::query(aged.statement()).bind(before).bind(most);
            statement.execute(pool).await.map(|done| done.rows_affected())
        })
    }

    /// With what happened to them; the totals of their clusters follow.
    async fn delete_fixed_violations(&self, before: i64, most: i64) -> sqlx::Result<u64> {
        const KEPT: &str = "UPDATE violation_totals SET rows_kept = rows_kept - $2 WHERE cluster_id = $1";
        let find = Aged::FixedViolations.statement();
        let mut tx = self.begin().await?;
        let found: Vec<(String, i64)> =
            on!(tx &mut tx, |connection| sqlx::query_as(find).bind(before).bind(most).fetch_all(connection).await)?;
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
