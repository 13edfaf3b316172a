//! Orders of people about rollouts: written by whichever hub they ask, obeyed by the one that leads.

use super::{Alone, Store, Tx};

const SAVE: &str = "
    INSERT INTO rollout_orders (id, at, kind, cluster_id, revision_id, reason, ordered_by)
    VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM rollout_orders), $1, $2, $3, $4, $5, $6)";
const WAITING: &str = "
    SELECT id, at, kind, cluster_id, revision_id, reason, ordered_by
    FROM rollout_orders WHERE taken_at IS NULL ORDER BY id LIMIT 100";
const TAKE: &str = "UPDATE rollout_orders SET taken_at = $1 WHERE id <= $2 AND taken_at IS NULL";

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct OrderRow {
    pub id: i64,
    pub at: i64,
    pub kind: String,
    pub cluster_id: Option<i64>,
    pub revision_id: Option<i64>,
    pub reason: String,
    pub ordered_by: String,
}

impl Store {
    /// Orders that wait, the oldest first.
    pub async fn rollout_orders(&self) -> sqlx::Result<Vec<OrderRow>> {
        on!(self, |pool| sqlx::query_as(WAITING).fetch_all(pool).await)
    }
}

impl Tx {
    /// Keeps an order until it is obeyed; its own number does not count.
    pub async fn save_rollout_order(&mut self, order: &OrderRow) -> sqlx::Result<()> {
        self.alone(Alone::Clusters).await?;
        on!(tx self, |connection| sqlx::query(SAVE)
            .bind(order.at)
            .bind(&order.kind)
            .bind(order.cluster_id)
            .bind(order.revision_id)
            .bind(&order.reason)
            .bind(&order.ordered_by)
            .execute(connection)
            .await
            .map(drop))
    }

    /// Orders up to this one are obeyed.
    pub async fn take_rollout_orders(&mut self, up_to: i64, now: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(TAKE).bind(now).bind(up_to).execute(connection).await.map(drop))
    }
}
