//! How far a rollout is, wave by wave, for people and tools.

use super::roll::{member, pins_of};
use crate::app::App;
use crate::rollout::machine::{Phase, Proof, wave_name};
use crate::store::{self, PinRow, RolloutEvent, RolloutRow, fleet_of};
use serde::Serialize;

/// Events of a rollout that are told.
const EVENTS: i64 = 100;

/// A rollout as it is told.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Its number.
    #[serde(skip)]
    pub id: i64,
    /// The commit.
    pub revision: String,
    /// The first line of the commit's message.
    #[serde(skip)]
    pub title: String,
    /// rolling, halted, done or superseded.
    pub phase: String,
    /// Which wave is told.
    pub wave: String,
    /// Since when all of the wave that are heard enforce it.
    pub soak_since: Option<i64>,
    /// Whether waves are waited for no longer than for urgent revisions.
    pub urgent: bool,
    /// When it began.
    pub began_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why it halted, while it is.
    pub halted: Option<String>,
    /// Its waves in their order; only of the newest rollout.
    pub waves: Vec<WaveStanding>,
    /// What happened, the newest first.
    pub events: Vec<RolloutEvent>,
}

/// Clusters of one wave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WaveStanding {
    /// Its name.
    pub name: String,
    /// How long it is waited for, in milliseconds.
    pub soak_ms: i64,
    /// All that are in it, pinned ones left out.
    pub clusters: usize,
    /// Those that were told.
    pub told: usize,
    /// Those that proved it.
    pub enforcing: usize,
    /// Those that refused it.
    pub refused: usize,
    /// Those that were not heard lately.
    pub offline: usize,
}

/// The newest rollout with its waves; nothing before a commit was served.
pub async fn newest(app: &App) -> store::Result<Option<Standing>> {
    let Some(row) = app.store.rollout().await? else { return Ok(None) };
    let mut standing = of(app, &row).await?;
    standing.waves = waves(app, &row).await?;
    Ok(Some(standing))
}

/// What happened to a rollout.
pub async fn of(app: &App, row: &RolloutRow) -> store::Result<Standing> {
    let events = app.store.rollout_events(row.id, EVENTS).await?;
    let is_halted = row.phase == Phase::Halted.as_str();
    let last_halt = events.iter().find(|event| event.kind == "halted").map(|event| event.reason.clone());
    Ok(Standing {
        id: row.id,
        revision: row.revision.clone(),
        title: row.message.lines().next().unwrap_or_default().to_owned(),
        phase: row.phase.clone(),
        wave: row.wave_name(),
        soak_since: row.soak_since.filter(|_| row.phase == Phase::Rolling.as_str()),
        urgent: row.urgent != 0,
        began_at: row.began_at,
        ended_at: row.ended_at,
        halted: last_halt.filter(|_| is_halted),
        waves: vec![],
        events,
    })
}

async fn waves(app: &App, row: &RolloutRow) -> store::Result<Vec<WaveStanding>> {
    let fleet = fleet_of(&row.fleet);
    let clusters = app.store.told().await?;
    let pins: Vec<PinRow> = app.store.pins().await?;
    let pins = pins_of(&pins);
    let now = app.now();
    let mut waves: Vec<WaveStanding> = vec![];
    for told in clusters.iter().filter(|told| !pins.contains_key(&told.cluster_id)) {
        let member = member(row.revision_id, &row.revision, &fleet, told, now);
        if waves.len() <= member.wave {
            waves.resize_with(member.wave + 1, WaveStanding::default);
        }
        let wave = &mut waves[member.wave];
        wave.clusters += 1;
        wave.told += usize::from(member.told_at.is_some());
        wave.enforcing += usize::from(member.proof == Proof::Enforces && member.is_here);
        wave.refused += usize::from(matches!(member.proof, Proof::Refused(_)) && member.is_here);
        wave.offline += usize::from(!member.is_here);
    }
    waves.resize_with(waves.len().max(fleet.waves.len()), WaveStanding::default);
    for (number, wave) in waves.iter_mut().enumerate() {
        wave_name(&fleet, number).clone_into(&mut wave.name);
        wave.soak_ms = fleet.waves.get(number).map_or(0, |wave| wave.soak);
        if row.urgent != 0 {
            wave.soak_ms = wave.soak_ms.min(fleet.urgent.soak);
        }
    }
    Ok(waves)
}
