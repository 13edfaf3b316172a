//! Suspensions: what is open, and the record of what was.

use super::{Store, Tx};
use serde::Serialize;
use writ_policy::{BreakGlass, Digest};

const SAVE: &str = "
    INSERT INTO break_glass (id, cluster, namespace, opened_at, until_at, reason, opened_by, ended_by, by_namespace)
    VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8)
    ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, ended_at = NULL,
        opened_by = CASE WHEN excluded.opened_by = '' THEN break_glass.opened_by ELSE excluded.opened_by END";
const CLUSTER: &str = "SELECT name FROM clusters WHERE id = $1";
const OPEN: &str = "
    SELECT id, cluster, namespace, opened_at, until_at, ended_at, reason, opened_by, ended_by, by_namespace
    FROM break_glass WHERE until_at > $1 AND ended_at IS NULL ORDER BY until_at, id LIMIT 1000";
const LIST: &str = "
    SELECT id, cluster, namespace, opened_at, until_at, ended_at, reason, opened_by, ended_by, by_namespace
    FROM break_glass ORDER BY opened_at DESC, id DESC LIMIT $1";
const END: &str = "
    UPDATE break_glass SET ended_at = $1, ended_by = $2
    WHERE cluster = $3 AND namespace = $4 AND by_namespace = 0 AND until_at > $1 AND ended_at IS NULL";
const END_ONE: &str = "UPDATE break_glass SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL";

/// One suspension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct BreakGlassRow {
    pub id: String,
    pub cluster: String,
    pub namespace: String,
    pub opened_at: i64,
    pub until_at: i64,
    pub ended_at: Option<i64>,
    pub reason: String,
    pub opened_by: String,
    pub ended_by: String,
    pub by_namespace: i64,
}

impl BreakGlassRow {
    /// A suspension of this cluster as it is stored.
    pub fn new(id: String, cluster: &str, glass: &BreakGlass) -> Self {
        Self {
            id,
            cluster: cluster.to_owned(),
            namespace: glass.namespace.clone().unwrap_or_default(),
            opened_at: glass.at,
            until_at: glass.until,
            ended_at: None,
            reason: glass.reason.clone(),
            opened_by: glass.by.clone(),
            ended_by: String::new(),
            by_namespace: i64::from(glass.by_namespace),
        }
    }

    /// What the cluster is told.
    pub fn told(&self) -> BreakGlass {
        BreakGlass {
            namespace: Some(self.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            until: self.until_at,
            reason: self.reason.clone(),
            by: self.opened_by.clone(),
            at: self.opened_at,
            by_namespace: self.is_by_namespace(),
        }
    }

    /// Whether the owners of the namespace opened it.
    pub fn is_by_namespace(&self) -> bool {
        self.by_namespace != 0
    }
}

impl Store {
    /// What is open at this time, the next to end first.
    pub async fn break_glass_open(&self, now: i64) -> sqlx::Result<Vec<BreakGlassRow>> {
        on!(self, |pool| sqlx::query_as(OPEN).bind(now).fetch_all(pool).await)
    }

    /// The newest suspensions, open or over.
    pub async fn break_glass_list(&self, limit: i64) -> sqlx::Result<Vec<BreakGlassRow>> {
        on!(self, |pool| sqlx::query_as(LIST).bind(limit).fetch_all(pool).await)
    }
}

impl Tx {
    /// Records a suspension; one that is known by its id is open again.
    pub async fn save_break_glass(&mut self, row: &BreakGlassRow) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(SAVE)
            .bind(&row.id)
            .bind(&row.cluster)
            .bind(&row.namespace)
            .bind(row.opened_at)
            .bind(row.until_at)
            .bind(&row.reason)
            .bind(&row.opened_by)
            .bind(row.by_namespace)
            .execute(connection)
            .await
            .map(drop))
    }

    /// Ends what the hub opened in this place (an empty namespace for the whole cluster); how many that were.
    pub async fn end_break_glass(&mut self, cluster: &str, namespace: &str, by: &str, now: i64) -> sqlx::Result<u64> {
        on!(tx self, |connection| sqlx::query(END)
            .bind(now)
            .bind(by)
            .bind(cluster)
            .bind(namespace)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
    }

    /// Records what namespaces of a cluster opened themselves, as its agent tells; `known` is what was open before.
    pub async fn note_break_glass(
        &mut self,
        cluster: i64,
        told: &[BreakGlass],
        known: &[BreakGlassRow],
        now: i64,
    ) -> sqlx::Result<()> {
        if told.is_empty() && known.is_empty() {
            return Ok(());
        }
        let name: String =
            on!(tx self, |connection| sqlx::query_scalar(CLUSTER).bind(cluster).fetch_one(connection).await)?;
        let cluster = name.as_str();
        let told: Vec<BreakGlassRow> =
            told.iter().map(|glass| BreakGlassRow::new(id(cluster, glass), cluster, glass)).collect();
        let own = |row: &&BreakGlassRow| row.cluster == cluster && row.is_by_namespace();
        for row in &told {
            let is_known = |known: &BreakGlassRow| {
                known.id == row.id && (row.opened_by.is_empty() || known.opened_by == row.opened_by)
            };
            if !known.iter().any(is_known) {
                self.save_break_glass(row).await?;
            }
        }
        for gone in known.iter().filter(own).filter(|known| !told.iter().any(|row| row.id == known.id)) {
            on!(tx self, |connection| sqlx::query(END_ONE).bind(now).bind(&gone.id).execute(connection).await.map(drop))?;
        }
        Ok(())
    }
}

/// The same suspension of a namespace has the same id, whoever tells of it and how often.
fn id(cluster: &str, glass: &BreakGlass) -> String {
    Digest::of(format!("{cluster}/{}/{}", glass.namespace.as_deref().unwrap_or_default(), glass.until)).to_string()
}
