//! Full passes of audit: what a pass looked at and did not see since it began is fixed. A pass is believed only when
//! nothing of its boot was lost since it began and the agent's clock can be compared; else it closes nothing, and the
//! next one does.

use super::DAY_MS;
use crate::store::Tx;
use crate::store::names::Names;
use crate::store::reports::News;
use crate::store::revisions::json;
use writ_policy::wire::{AuditPass, FixedReason};

/// Open, of this cluster, not seen since the pass began, of a kind that it looked at.
macro_rules! unseen {
    () => {
        "cluster_id = $1 AND fixed_at IS NULL AND last_seen_at < $2 AND kind_id NOT IN (SELECT id FROM names WHERE
            name IN (SELECT kind FROM audit_unseen_kinds WHERE cluster_id = $1))"
    };
}
const EVENTS: &str = concat!(
    "INSERT INTO violation_events (violation_id, at, received_at, event, reason, revision_id)
     SELECT id, $2, $3, 'fixed', $4, $5 FROM violations WHERE ",
    unseen!(),
    " ON CONFLICT (violation_id, at, event) DO NOTHING"
);
const DAYS: &str = concat!(
    "INSERT INTO violation_days (day, cluster_id, namespace_id, policy_id, opened, fixed, exempted)
     SELECT $3, $1, namespace_id, policy_id, 0, COUNT(*), CAST(-SUM(CASE exemption WHEN '' THEN 0 ELSE 1 END) AS BIGINT)
     FROM violations WHERE ",
    unseen!(),
    " GROUP BY namespace_id, policy_id
     ON CONFLICT (day, cluster_id, namespace_id, policy_id) DO UPDATE SET
        fixed = violation_days.fixed + excluded.fixed, exempted = violation_days.exempted + excluded.exempted"
);
const FIX: &str = concat!(
    "UPDATE violations SET fixed_at = $2, fixed_reason = $4, fixed_revision_id = $5, received_at = $3 WHERE ",
    unseen!()
);
const FORGET_KINDS: &str = "DELETE FROM audit_unseen_kinds WHERE cluster_id = $1";
const SAVE_KIND: &str = "
    INSERT INTO audit_unseen_kinds (cluster_id, kind) VALUES ($1, $2) ON CONFLICT (cluster_id, kind) DO NOTHING";
const CLOSED: &str = "UPDATE violation_totals SET open = open - $2 WHERE cluster_id = $1";
const SAVE: &str = "
    INSERT INTO audits (cluster_id, started_at, finished_at, received_at, revision_id, objects, unseen, closes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (cluster_id) DO UPDATE SET started_at = excluded.started_at, finished_at = excluded.finished_at,
        received_at = excluded.received_at, revision_id = excluded.revision_id, objects = excluded.objects,
        unseen = excluded.unseen, closes = excluded.closes
    WHERE audits.started_at <= excluded.started_at";

impl Tx {
    /// Takes in the passes that a report says have ended.
    pub(super) async fn save_passes(&mut self, news: News<'_>, names: &Names, now: i64) -> sqlx::Result<()> {
        let cluster = news.cluster();
        for pass in &news.report().audits {
            let revision = names.id(pass.revision.as_str());
            let closes = !news.accepted.clock_is_wrong && pass.started_at > news.gap_at;
            if closes {
                self.save_unseen_kinds(cluster, pass).await?;
                self.close_unseen(cluster, pass.started_at, revision, now).await?;
            }
            on!(tx self, |connection| sqlx::query(SAVE)
                .bind(cluster)
                .bind(pass.started_at)
                .bind(pass.finished_at)
                .bind(now)
                .bind(revision)
                .bind(i64::try_from(pass.objects).unwrap_or(i64::MAX))
                .bind(json(&pass.unseen))
                .bind(i64::from(closes))
                .execute(connection)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    async fn save_unseen_kinds(&mut self, cluster: i64, pass: &AuditPass) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET_KINDS).bind(cluster).execute(connection).await.map(drop))?;
        for unseen in &pass.unseen {
            on!(tx self, |connection| {
                sqlx::query(SAVE_KIND).bind(cluster).bind(unseen.kind.as_str()).execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    async fn close_unseen(&mut self, cluster: i64, since: i64, revision: i64, now: i64) -> sqlx::Result<()> {
        let reason = FixedReason::Unseen.as_str();
        on!(tx self, |connection| sqlx::query(EVENTS)
            .bind(cluster)
            .bind(since)
            .bind(now)
            .bind(reason)
            .bind(revision)
            .execute(connection)
            .await
            .map(drop))?;
        on!(tx self, |connection| sqlx::query(DAYS)
            .bind(cluster)
            .bind(since)
            .bind(since.div_euclid(DAY_MS))
            .execute(connection)
            .await
            .map(drop))?;
        let closed = on!(tx self, |connection| sqlx::query(FIX)
            .bind(cluster)
            .bind(since)
            .bind(now)
            .bind(reason)
            .bind(revision)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))?;
        let closed = i64::try_from(closed).unwrap_or(i64::MAX);
        on!(tx self, |connection| sqlx::query(CLOSED).bind(cluster).bind(closed).execute(connection).await.map(drop))
    }
}
