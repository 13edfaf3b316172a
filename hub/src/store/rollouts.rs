//! Rollouts: how far each revision is, what happened to it and why, and which clusters stay where they are.

use super::bulk::Upsert;
use super::revisions::json;
use super::{Alone, Store, Tx, valid};
use crate::rollout::machine::{Phase, State};
use serde::Serialize;

const COLUMNS: &str = "rollouts.id, rollouts.revision_id, rollouts.served_at, rollouts.phase, rollouts.wave,
    rollouts.wave_since, rollouts.soak_since, rollouts.urgent, rollouts.tolerated, rollouts.accepted,
    rollouts.began_at, rollouts.ended_at, revisions.revision, revisions.message, revisions.fleet";
const FROM: &str = " FROM rollouts JOIN revisions ON revisions.id = rollouts.revision_id ";
const NEWEST: &str = "ORDER BY rollouts.id DESC LIMIT $1";
const BEFORE: &str = "WHERE rollouts.id < $2 ORDER BY rollouts.id DESC LIMIT $1";
const LAST_DONE: &str = "SELECT revision_id FROM rollouts WHERE phase = 'done' ORDER BY id DESC LIMIT 1";
/// Whether a revision with the same files was rolled out to the end before.
const WAS_DONE: &str = "
    SELECT COUNT(*) FROM revisions AS own
    JOIN revisions AS earlier ON earlier.index_digest = own.index_digest
    JOIN rollouts ON rollouts.revision_id = earlier.id AND rollouts.phase = 'done' AND rollouts.served_at < $2
    WHERE own.id = $1";
const NEXT_ID: &str = "SELECT COALESCE(MAX(id), 0) + 1 FROM rollouts";
const SAVE: &str = "
    INSERT INTO rollouts (id, revision_id, served_at, phase, wave, wave_since, soak_since, urgent, tolerated, accepted,
        began_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, wave = excluded.wave, wave_since = excluded.wave_since,
        soak_since = excluded.soak_since, urgent = excluded.urgent, tolerated = excluded.tolerated,
        accepted = excluded.accepted, ended_at = excluded.ended_at";
const NEXT_EVENT: &str = "SELECT COALESCE(MAX(id), 0) + 1 FROM rollout_events";
const SAVE_EVENTS: Upsert<'static> =
    Upsert { into: "INSERT INTO rollout_events (id, rollout_id, at, kind, wave, reason, ordered_by)", on_conflict: "" };
const EVENTS: &str = "
    SELECT at, kind, wave, reason, ordered_by FROM rollout_events WHERE rollout_id = $1 ORDER BY id DESC LIMIT $2";
const PINS: &str = "
    SELECT pins.cluster_id, clusters.name AS cluster, pins.revision_id, revisions.revision, pins.reason,
        pins.ordered_by, pins.at
    FROM rollout_pins AS pins JOIN clusters ON clusters.id = pins.cluster_id
    JOIN revisions ON revisions.id = pins.revision_id
    ORDER BY clusters.name";
const SAVE_PIN: &str = "
    INSERT INTO rollout_pins (cluster_id, revision_id, reason, ordered_by, at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (cluster_id) DO UPDATE SET revision_id = excluded.revision_id, reason = excluded.reason,
        ordered_by = excluded.ordered_by, at = excluded.at";
const DROP_PIN: &str = "DELETE FROM rollout_pins WHERE cluster_id = $1";

/// A rollout, and the revision that it is of.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct RolloutRow {
    pub id: i64,
    pub revision_id: i64,
    pub served_at: i64,
    pub phase: String,
    pub wave: i64,
    pub wave_since: i64,
    pub soak_since: Option<i64>,
    pub urgent: i64,
    pub tolerated: String,
    pub accepted: String,
    pub began_at: i64,
    pub ended_at: Option<i64>,
    pub revision: String,
    pub message: String,
    pub fleet: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct RolloutEvent {
    pub at: i64,
    pub kind: String,
    pub wave: String,
    pub reason: String,
    pub ordered_by: String,
}

/// A cluster that stays at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct PinRow {
    #[serde(skip)]
    pub cluster_id: i64,
    pub cluster: String,
    #[serde(skip)]
    pub revision_id: i64,
    pub revision: String,
    pub reason: String,
    pub ordered_by: String,
    pub at: i64,
}

impl Phase {
    /// The word that rows, the API and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Rolling => "rolling",
            Phase::Halted => "halted",
            Phase::Done => "done",
            Phase::Superseded => "superseded",
        }
    }
}

impl RolloutRow {
    /// How far it is.
    pub fn state(&self) -> sqlx::Result<State> {
        let phases = [Phase::Rolling, Phase::Halted, Phase::Done, Phase::Superseded];
        Ok(State {
            phase: phases.into_iter().find(|phase| phase.as_str() == self.phase).unwrap_or(Phase::Halted),
            wave: usize::try_from(self.wave).unwrap_or(0),
            wave_since: self.wave_since,
            soak_since: self.soak_since,
            urgent: self.urgent != 0,
            tolerated: valid(serde_json::from_str(&self.tolerated))?,
            accepted: valid(serde_json::from_str(&self.accepted))?,
        })
    }

    /// The same, as far as this.
    #[must_use]
    pub fn with(self, state: &State) -> Self {
        Self {
            phase: state.phase.as_str().into(),
            wave: state.wave as i64,
            wave_since: state.wave_since,
            soak_since: state.soak_since,
            urgent: i64::from(state.urgent),
            tolerated: json(&state.tolerated),
            accepted: json(&state.accepted),
            ..self
        }
    }
}

impl Store {
    /// The rollout of what is served.
    pub async fn rollout(&self) -> sqlx::Result<Option<RolloutRow>> {
        Ok(self.rollouts(None, 1).await?.pop())
    }

    /// Rollouts before this one, the newest first.
    pub async fn rollouts(&self, before: Option<i64>, limit: i64) -> sqlx::Result<Vec<RolloutRow>> {
        let text = ["SELECT ", COLUMNS, FROM, if before.is_some() { BEFORE } else { NEWEST }].concat();
        on!(self, |pool| {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(limit);
            match before {
                Some(before) => query.bind(before).fetch_all(pool).await,
                None => query.fetch_all(pool).await,
            }
        })
    }

    /// What happened to a rollout, the newest first.
    pub async fn rollout_events(&self, rollout: i64, limit: i64) -> sqlx::Result<Vec<RolloutEvent>> {
        on!(self, |pool| sqlx::query_as(EVENTS).bind(rollout).bind(limit).fetch_all(pool).await)
    }

    /// The revision that was last rolled out to the end.
    pub async fn last_rolled_out(&self) -> sqlx::Result<Option<i64>> {
        on!(self, |pool| sqlx::query_scalar(LAST_DONE).fetch_optional(pool).await)
    }

    /// Whether what this revision holds was rolled out to the end before it was served at this time.
    pub async fn was_rolled_out(&self, revision: i64, served_at: i64) -> sqlx::Result<bool> {
        let count: i64 =
            on!(self, |pool| sqlx::query_scalar(WAS_DONE).bind(revision).bind(served_at).fetch_one(pool).await)?;
        Ok(count > 0)
    }

    /// Clusters that stay at a revision, by name.
    pub async fn pins(&self) -> sqlx::Result<Vec<PinRow>> {
        on!(self, |pool| sqlx::query_as(PINS).fetch_all(pool).await)
    }
}

impl Tx {
    /// Keeps how far a rollout is; gives it a number when it has none.
    pub async fn save_rollout(&mut self, row: &RolloutRow) -> sqlx::Result<i64> {
        let id = match row.id {
            0 => {
                self.alone(Alone::Revisions).await?;
                on!(tx self, |connection| sqlx::query_scalar(NEXT_ID).fetch_one(connection).await)?
            }
            id => id,
        };
        on!(tx self, |connection| sqlx::query(SAVE)
            .bind(id)
            .bind(row.revision_id)
            .bind(row.served_at)
            .bind(&row.phase)
            .bind(row.wave)
            .bind(row.wave_since)
            .bind(row.soak_since)
            .bind(row.urgent)
            .bind(&row.tolerated)
            .bind(&row.accepted)
            .bind(row.began_at)
            .bind(row.ended_at)
            .execute(connection)
            .await
            .map(drop))?;
        Ok(id)
    }

    /// Records what happened to a rollout.
    pub async fn save_rollout_events(&mut self, rollout: i64, events: &[RolloutEvent]) -> sqlx::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.alone(Alone::Revisions).await?;
        let next: i64 = on!(tx self, |connection| sqlx::query_scalar(NEXT_EVENT).fetch_one(connection).await)?;
        let rows = events.iter().zip(next..).map(|(event, id)| {
            let RolloutEvent { at, kind, wave, reason, ordered_by } = event;
            [
                id.into(),
                rollout.into(),
                (*at).into(),
                kind.as_str().into(),
                wave.as_str().into(),
                reason.as_str().into(),
                ordered_by.as_str().into(),
            ]
        });
        self.upsert(SAVE_EVENTS, &rows.collect::<Vec<_>>()).await
    }

    /// Has a cluster stay at a revision.
    pub async fn save_pin(&mut self, pin: &PinRow) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(SAVE_PIN)
            .bind(pin.cluster_id)
            .bind(pin.revision_id)
            .bind(&pin.reason)
            .bind(&pin.ordered_by)
            .bind(pin.at)
            .execute(connection)
            .await
            .map(drop))
    }

    /// Has a cluster go with the others again.
    pub async fn drop_pin(&mut self, cluster: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(DROP_PIN).bind(cluster).execute(connection).await.map(drop))
    }
}
