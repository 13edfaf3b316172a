//! Assignments: what each cluster was told, by epoch, and when it proved that it obeys.

use super::revisions::json;
use super::{Store, Tx, valid};
use writ_policy::bundle::Assignment;
use writ_policy::sign::Signed;
use writ_policy::wire::Active;
use writ_policy::{ClusterName, Digest, Labels};

const CLUSTERS: &str = "
    SELECT clusters.id, clusters.name, clusters.labels, clusters.active_epoch, newest.statement
    FROM clusters LEFT JOIN assignments AS newest ON newest.cluster_id = clusters.id
        AND newest.epoch = (SELECT MAX(epoch) FROM assignments WHERE assignments.cluster_id = clusters.id)
    ORDER BY clusters.id";

const SAVE: &str = "
    INSERT INTO assignments (cluster_id, epoch, digest, revision_id, deny_level, statement, issued_at, round)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const ACKNOWLEDGE: &str = "
    UPDATE assignments SET fetched_at = $1, verified_at = $2, active_at = $3, acknowledged_at = $4
    WHERE cluster_id = $5 AND digest = $6 AND acknowledged_at IS NULL";

/// A cluster and what it was last told.
#[derive(Debug, Clone)]
pub struct Told {
    /// The cluster's row.
    pub cluster_id: i64,
    /// Its name.
    pub name: ClusterName,
    /// Its labels.
    pub labels: Labels,
    /// The epoch that its agent says it enforces.
    pub active_epoch: Option<i64>,
    /// The newest assignment.
    pub newest: Option<Signed>,
}

impl Store {
    /// All clusters with the newest assignment of each.
    pub async fn told(&self) -> sqlx::Result<Vec<Told>> {
        type Row = (i64, String, String, Option<i64>, Option<String>);
        let rows: Vec<Row> = on!(self, |pool| sqlx::query_as(CLUSTERS).fetch_all(pool).await)?;
        let told = rows.into_iter().map(|(cluster_id, name, labels, active_epoch, statement)| {
            Ok(Told {
                cluster_id,
                name: valid(ClusterName::new(name))?,
                labels: valid(serde_json::from_str(&labels))?,
                active_epoch,
                newest: valid(statement.map(|text| serde_json::from_str(&text)).transpose())?,
            })
        });
        told.collect()
    }
}

impl Tx {
    /// Records what a cluster is told in a round.
    pub async fn save_assignment(
        &mut self,
        cluster: i64,
        (revision, round): (i64, i64),
        assignment: &Assignment,
        signed: &Signed,
    ) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(SAVE)
            .bind(cluster)
            .bind(assignment.epoch as i64)
            .bind(signed.digest().to_string())
            .bind(revision)
            .bind(assignment.settings.deny_level.as_str())
            .bind(json(signed))
            .bind(assignment.issued_at)
            .bind(round)
            .execute(connection)
            .await
            .map(drop))
    }

    /// Records the first proof that a cluster enforces an assignment. Later ones change nothing.
    pub async fn acknowledge(&mut self, cluster: i64, active: &Active, now: i64) -> sqlx::Result<()> {
        let digest: &Digest = &active.assignment;
        on!(tx self, |connection| sqlx::query(ACKNOWLEDGE)
            .bind(active.fetched_at)
            .bind(active.verified_at)
            .bind(active.active_at)
            .bind(now)
            .bind(cluster)
            .bind(digest.to_string())
            .execute(connection)
            .await
            .map(drop))
    }
}
