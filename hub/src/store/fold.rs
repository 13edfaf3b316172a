//! Folding: what `recent` holds is added to `sums` and `rollups` and taken out of it, in one transaction, so that whoever
//! reads both counts everything once. Many counts at a time change few rows: a policy that failed a hundred times in a
//! second is one row by minute, one by hour and one by day.

use super::alone::Alone;
use super::bulk::{Upsert, Value};
use super::recent::{self, Counted, Key, What};
use super::sums::{ADD, DAY, HOUR, Sums};
use super::{Store, Tx};
use std::collections::HashMap;
use std::time::Duration;

pub(super) const ROLL_UP: Upsert<'static> = Upsert {
    into:
        "INSERT INTO rollups (span, bucket, policy_id, namespace_id, cluster_id, revision_id, passes, failures, denials,
        warnings, dryruns, errors, exempted, micros, micros_max)",
    on_conflict: "ON CONFLICT (span, bucket, policy_id, namespace_id, cluster_id, revision_id) DO UPDATE SET
        passes = rollups.passes + excluded.passes, failures = rollups.failures + excluded.failures,
        denials = rollups.denials + excluded.denials, warnings = rollups.warnings + excluded.warnings,
        dryruns = rollups.dryruns + excluded.dryruns, errors = rollups.errors + excluded.errors,
        exempted = rollups.exempted + excluded.exempted, micros = rollups.micros + excluded.micros,
        micros_max = CASE WHEN excluded.micros_max > rollups.micros_max
            THEN excluded.micros_max ELSE rollups.micros_max END",
};
// Policy by policy, as sums and rollups lie: a piece changes few of their pages, each of them often.
const TAKE: &str =
    "DELETE FROM recent WHERE rowid IN (
        SELECT rowid FROM recent ORDER BY policy_id < $2, policy_id, namespace_id LIMIT $1)
    RETURNING what, minute, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials, warnings, dryruns,
        errors, exempted, micros, micros_max";
const ANY: &str = "SELECT EXISTS (SELECT 1 FROM recent)";

/// A row of `recent`.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    what: i64,
    minute: i64,
    cluster_id: i64,
    namespace_id: i64,
    policy_id: i64,
    revision_id: i64,
    passes: i64,
    failures: i64,
    denials: i64,
    warnings: i64,
    dryruns: i64,
    errors: i64,
    exempted: i64,
    micros: i64,
    micros_max: i64,
}

impl Row {
    fn key(&self) -> Key {
        Key {
            what: self.what,
            minute: self.minute,
            cluster: self.cluster_id,
            namespace: self.namespace_id,
            policy: self.policy_id,
            revision: self.revision_id,
        }
    }

    fn counted(&self) -> Counted {
        let Self { passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max, .. } = *self;
        [passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max]
    }
}

/// Rows that are folded at a time. SQLite has one writer, and reports wait for it meanwhile.
const MOST_OF_SQLITE: i64 = 1_000;
const MOST_OF_POSTGRES: i64 = 50_000;

impl Store {
    /// How many recent counts are best folded at a time.
    pub fn most_folded(&self) -> i64 {
        match self {
            Store::Sqlite { .. } => MOST_OF_SQLITE,
            Store::Postgres { .. } => MOST_OF_POSTGRES,
        }
    }

    /// How long counts gather: the more they are, the fewer pages they change together. Whoever reads adds those that
    /// wait, which PostgreSQL takes longer to read.
    pub fn gathers_for(&self) -> Duration {
        match self {
            Store::Sqlite { .. } => Duration::from_secs(5),
            Store::Postgres { .. } => Duration::from_millis(250),
        }
    }

    /// Makes the places of what was folded free to be used again, where that does not happen by itself.
    pub async fn tidy_recent(&self) -> sqlx::Result<()> {
        match self {
            Store::Sqlite { .. } => Ok(()),
            Store::Postgres { writer, .. } => sqlx::query("VACUUM recent").execute(writer).await.map(drop),
        }
    }

    /// Folds at most so many recent counts, those of this policy first and of the next ones after it, round and round: what
    /// waited longest has the most rows to be folded together. Hubs that share a database take turns.
    pub async fn fold(&self, most: i64, from: i64) -> sqlx::Result<Folded> {
        // Most of the time there is nothing to do, and then nobody else is kept from writing.
        let any: bool = on!(self, |pool| sqlx::query_scalar(ANY).fetch_one(pool).await)?;
        if !any {
            return Ok(Folded { rows: 0, next: from });
        }
        let mut tx = self.begin().await?;
        tx.alone(Alone::Folding).await?;
        let folded = tx.fold(most, from).await?;
        tx.commit().await?;
        Ok(folded)
    }
}

/// What was folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// How many counts.
    pub rows: usize,
    /// The policy that the next piece begins with.
    pub next: i64,
}

impl Tx {
    pub(super) async fn fold(&mut self, most: i64, from: i64) -> sqlx::Result<Folded> {
        let rows: Vec<Row> = match self {
            Tx::Sqlite(transaction) => sqlx::query_as(TAKE).bind(most).bind(from).fetch_all(&mut **transaction).await?,
            Tx::Postgres(transaction) => return super::postgres::fold::fold(transaction, most, from).await,
        };
        let (mut sums, mut rollups) = (Sums::default(), HashMap::new());
        for row in &rows {
            let (key, counted) = (row.key(), row.counted());
            sums.add(&key, &counted);
            if key.what == What::Evaluations as i64 {
                roll_up(&mut rollups, &key, &counted);
            }
        }
        self.upsert(ADD, &sums.rows()).await?;
        let mut rollups: Vec<_> = rollups.into_iter().collect();
        rollups.sort_unstable_by_key(|(place, _)| *place);
        self.upsert(ROLL_UP, &rollups.iter().map(rollup).collect::<Vec<_>>()).await?;
        let last = rows.iter().map(|row| (row.policy_id < from, row.policy_id)).max();
        Ok(Folded { rows: rows.len(), next: last.map_or(from, |(_, policy)| policy) })
    }
}

/// Span, bucket, policy, namespace, cluster, revision: the order of the primary key.
type Place = [i64; 6];

fn roll_up(rollups: &mut HashMap<Place, Counted>, key: &Key, counted: &Counted) {
    for span in [HOUR, DAY] {
        let place = [span, key.minute.div_euclid(span), key.policy, key.namespace, key.cluster, key.revision];
        recent::add(rollups.entry(place).or_default(), counted);
    }
}

fn rollup((place, counted): &(Place, Counted)) -> [Value<'static>; 15] {
    let mut values = [const { Value::Int(0) }; 15];
    for (value, number) in values.iter_mut().zip(place.iter().chain(counted)) {
        *value = Value::Int(*number);
    }
    values
}
