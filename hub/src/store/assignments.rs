//! Assignments: what each cluster was told, by epoch, and when it proved that it obeys.

use super::bulk::{Update, Upsert};
use super::revisions::json;
use super::{Store, Tx, valid};
use writ_policy::bundle::Assignment;
use writ_policy::sign::Signed;
use writ_policy::wire::Active;
use writ_policy::{ClusterName, Digest, Labels};

const CLUSTERS: &str = "
    SELECT clusters.id, clusters.name, clusters.labels, clusters.proven_epoch, clusters.seen_at,
        clusters.active_revision, clusters.refused_digest, clusters.refused_reason,
        newest.revision_id, newest.epoch, newest.digest, newest.issued_at, newest.statement
    FROM clusters LEFT JOIN assignments AS newest ON newest.cluster_id = clusters.id
        AND newest.epoch = (SELECT MAX(epoch) FROM assignments WHERE assignments.cluster_id = clusters.id)
    ORDER BY clusters.id";

const SAVE: Upsert<'static> = Upsert {
    into: "INSERT INTO assignments (cluster_id, epoch, digest, revision_id, deny_level, statement, issued_at, round)",
    on_conflict: "",
};
const PROVE: &str = "UPDATE clusters SET proven_epoch = $1 WHERE id = $2 AND proven_epoch < $1
    AND NOT EXISTS (SELECT 1 FROM assignments WHERE cluster_id = $2 AND digest = $3)";

const ACKNOWLEDGE: Update = Update {
    before: "UPDATE assignments SET fetched_at = news.column3, verified_at = news.column4,
        active_at = news.column5, acknowledged_at = news.column6 FROM ",
    after: " AS news WHERE assignments.cluster_id = news.column1 AND assignments.digest = news.column2
        AND assignments.acknowledged_at IS NULL
        RETURNING assignments.cluster_id, assignments.digest",
};

/// A cluster and what it was last told.
#[derive(Debug, Clone)]
pub struct Told {
    /// The cluster's row.
    pub cluster_id: i64,
    /// Its name.
    pub name: ClusterName,
    /// Its labels.
    pub labels: Labels,
    /// The highest epoch that the hub's own signature proves.
    pub proven_epoch: i64,
    /// When it was last heard.
    pub seen_at: Option<i64>,
    /// The revision that all its replicas enforce.
    pub active_revision: Option<String>,
    /// The assignment that it refused last, and why.
    pub refused_digest: Option<String>,
    /// Why.
    pub refused_reason: Option<String>,
    /// The revision of the newest assignment.
    pub revision_id: Option<i64>,
    /// The epoch of the newest assignment; 0 when there is none.
    pub epoch: i64,
    /// The digest of the newest assignment.
    pub digest: Option<String>,
    /// When the newest assignment was made.
    pub issued_at: Option<i64>,
    /// The newest assignment.
    pub newest: Option<Signed>,
}

/// What a cluster is told in a round.
#[derive(Debug)]
pub struct NewAssignment {
    /// The cluster's row.
    pub cluster_id: i64,
    /// The revision's row.
    pub revision_id: i64,
    /// What it says.
    pub assignment: Assignment,
    /// The same, signed.
    pub signed: Signed,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    labels: String,
    proven_epoch: i64,
    seen_at: Option<i64>,
    active_revision: Option<String>,
    refused_digest: Option<String>,
    refused_reason: Option<String>,
    revision_id: Option<i64>,
    epoch: Option<i64>,
    digest: Option<String>,
    issued_at: Option<i64>,
    statement: Option<String>,
}

impl Store {
    /// All clusters with the newest assignment of each.
    pub async fn told(&self) -> sqlx::Result<Vec<Told>> {
        let rows: Vec<Row> = on!(self, |pool| sqlx::query_as(CLUSTERS).fetch_all(pool).await)?;
        rows.into_iter().map(Told::of).collect()
    }
}

impl Told {
    fn of(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            cluster_id: row.id,
            name: valid(ClusterName::new(row.name))?,
            labels: valid(serde_json::from_str(&row.labels))?,
            proven_epoch: row.proven_epoch,
            seen_at: row.seen_at,
            active_revision: row.active_revision,
            refused_digest: row.refused_digest,
            refused_reason: row.refused_reason,
            revision_id: row.revision_id,
            epoch: row.epoch.unwrap_or(0),
            digest: row.digest,
            issued_at: row.issued_at,
            newest: valid(row.statement.map(|text| serde_json::from_str(&text)).transpose())?,
        })
    }
}

impl Tx {
    /// Records what clusters are told in a round.
    pub async fn save_assignments(&mut self, news: &[NewAssignment], round: i64) -> sqlx::Result<()> {
        let rows = news.iter().map(|NewAssignment { cluster_id, revision_id, assignment, signed }| {
            [
                (*cluster_id).into(),
                assignment.epoch.into(),
                signed.digest().to_string().into(),
                (*revision_id).into(),
                assignment.settings.deny_level.as_str().into(),
                json(signed).into(),
                assignment.issued_at.into(),
                round.into(),
            ]
        });
        self.upsert(SAVE, &rows.collect::<Vec<_>>()).await
    }

    /// Records the epoch of an assignment that the hub's own signature proved, and that is not known here. Whether
    /// that is news.
    pub async fn save_proven_epoch(&mut self, cluster: i64, epoch: i64, assignment: Digest) -> sqlx::Result<bool> {
        on!(tx self, |connection| {
            let query = sqlx::query(PROVE).bind(epoch).bind(cluster).bind(assignment.to_string());
            query.execute(connection).await.map(|done| done.rows_affected() > 0)
        })
    }

    /// Records the first proof that clusters enforce what they were told. Later ones change nothing.
    pub async fn acknowledge(&mut self, proofs: &[(i64, &Active)], now: i64) -> sqlx::Result<()> {
        let rows = proofs.iter().map(|(cluster, active)| {
            [
                (*cluster).into(),
                active.assignment.to_string().into(),
                active.fetched_at.into(),
                active.verified_at.into(),
                active.active_at.into(),
                now.into(),
            ]
        });
        self.update(ACKNOWLEDGE, &rows.collect::<Vec<_>>()).await.map(drop)
    }
}
