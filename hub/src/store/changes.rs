//! What other hubs on the same database changed: rounds of telling clusters, and calls for one. Counters are the truth
//! and are asked for every second; a notification only makes it sooner.

use super::postgres::listen::Listener;
use super::{Classes, Store, Tx, valid};
use std::time::Duration;
use writ_policy::bundle::Assignment;
use writ_policy::sign::Signed;

const ALL: &str = "SELECT name, number FROM hub_changes";
const NEXT: &str = "UPDATE hub_changes SET number = number + 1 WHERE name = $1 RETURNING number";

/// The newest word to each cluster that was told after a round, with the bundle that it names.
const TOLD_SINCE: &str = "
    SELECT told.cluster_id, told.statement, revisions.statement, revisions.classes
    FROM assignments AS told JOIN revisions ON revisions.id = told.revision_id
    WHERE told.round > $1 AND revisions.statement IS NOT NULL
        AND told.epoch = (SELECT MAX(epoch) FROM assignments WHERE assignments.cluster_id = told.cluster_id)
    ORDER BY told.cluster_id";

/// How far the counters are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rounds in which clusters were told.
    pub assignments: i64,
    /// Calls for a round.
    pub wanted: i64,
    /// Calls for a look at the source.
    pub looks: i64,
}

/// Waits for what others change.
#[derive(Debug)]
pub struct Wake {
    store: Store,
    listener: Option<Listener>,
}

impl Wake {
    /// Returns when another hub says that something changed, and else after a while.
    pub async fn next(&mut self, at_most: Duration) {
        let (Store::Postgres { writer, .. }, None) = (&self.store, &self.listener) else {
            return self.wait(at_most).await;
        };
        // Without it the poll still tells everything.
        self.listener = Listener::start(writer).await.ok();
        self.wait(at_most).await;
    }

    async fn wait(&mut self, at_most: Duration) {
        let Some(listener) = &mut self.listener else { return tokio::time::sleep(at_most).await };
        tokio::select! {
            works = listener.heard() => if !works {
                self.listener = None;
                tokio::time::sleep(at_most).await;
            },
            () = tokio::time::sleep(at_most) => {}
        }
    }
}

/// Of a revision's bundles the one that an assignment names.
fn named_by(assignment: &Signed, whole: Signed, classes: &str) -> sqlx::Result<Signed> {
    let assignment: Assignment = valid(serde_json::from_str(&assignment.payload))?;
    let classes: Classes = valid(serde_json::from_str(classes))?;
    let class = classes.into_values().find(|class| class.statement.digest() == assignment.bundle);
    Ok(class.map_or(whole, |class| class.statement))
}

impl Store {
    /// Whether other hubs may use the database too.
    pub fn is_shared(&self) -> bool {
        matches!(self, Store::Postgres { .. })
    }

    /// Waits for what others change.
    pub fn wake(&self) -> Wake {
        Wake { store: self.clone(), listener: None }
    }

    /// How far the counters are.
    pub async fn changes(&self) -> sqlx::Result<Changes> {
        let rows: Vec<(String, i64)> = on!(write self, |pool| sqlx::query_as(ALL).fetch_all(pool).await)?;
        let number = |name: &str| rows.iter().find(|row| row.0 == name).map_or(0, |row| row.1);
        Ok(Changes { assignments: number("assignments"), wanted: number("wanted"), looks: number("looks") })
    }

    /// The newest assignment and bundle of each cluster that was told after this round.
    pub async fn told_since(&self, round: i64) -> sqlx::Result<Vec<(i64, Signed, Signed)>> {
        let rows: Vec<(i64, String, String, String)> =
            on!(write self, |pool| sqlx::query_as(TOLD_SINCE).bind(round).fetch_all(pool).await)?;
        let told = rows.into_iter().map(|(cluster, assignment, whole, classes)| {
            let assignment: Signed = valid(serde_json::from_str(&assignment))?;
            let bundle = named_by(&assignment, valid(serde_json::from_str(&whole))?, &classes)?;
            Ok((cluster, assignment, bundle))
        });
        told.collect()
    }

    /// Calls for a round, wherever the leader is.
    pub async fn want_round(&self) -> sqlx::Result<()> {
        if !self.is_shared() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.want_round().await?;
        tx.commit().await
    }

    /// Calls for a look at the source, wherever the leader is.
    pub async fn want_look(&self) -> sqlx::Result<()> {
        if !self.is_shared() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.change("looks").await?;
        tx.commit().await
    }
}

impl Tx {
    /// Begins a round of telling clusters; its number.
    pub async fn next_round(&mut self) -> sqlx::Result<i64> {
        self.change("assignments").await
    }

    /// Calls for a round, wherever the leader is.
    pub async fn want_round(&mut self) -> sqlx::Result<()> {
        self.change("wanted").await.map(drop)
    }

    async fn change(&mut self, name: &str) -> sqlx::Result<i64> {
        let number = on!(tx self, |connection| sqlx::query_scalar(NEXT).bind(name).fetch_one(connection).await)?;
        if let Tx::Postgres(transaction) = self {
            super::postgres::listen::tell(transaction).await?;
        }
        Ok(number)
    }
}
