//! The rollout of what is served: reads what the machine must know, lets it make its step, records what came of it.

use crate::app::App;
use crate::repository::is_urgent;
use crate::rollout::machine::{self, Kind, Member, Order, OrderKind, Phase, Proof, State, Step, Transition, World};
use crate::rollout::rate::{self, Alarm};
use crate::status::SEEN_WITHIN_MS;
use crate::store::{OrderRow, PinRow, RolloutEvent, RolloutRow, Served, Told, Tx};
use anyhow::Context;
use std::collections::{BTreeSet, HashMap};
use writ_policy::Fleet;

/// One look at the rollout, and what comes of it.
#[derive(Debug)]
pub(super) struct Roll {
    /// The rollout before this one, that it puts an end to.
    former: Option<RolloutRow>,
    /// How far it was; without a number it begins now.
    before: RolloutRow,
    step: Step,
    events: Vec<RolloutEvent>,
    /// The last order that was obeyed, and clusters that were pinned and let go by orders.
    orders: Orders,
    pins: HashMap<i64, i64>,
    told: BTreeSet<i64>,
    /// What a cluster gets that enrolled before its wave is told.
    fallback: Option<i64>,
    now: i64,
}

#[derive(Debug, Default)]
struct Orders {
    up_to: Option<i64>,
    rollout: Vec<Order>,
    pinned: Vec<PinRow>,
    unpinned: Vec<i64>,
    events: Vec<RolloutEvent>,
}

impl Roll {
    /// Looks at the rollout of what is served and makes one step of it.
    pub(super) async fn look(app: &App, served: &Served, clusters: &[Told], now: i64) -> anyhow::Result<Self> {
        let newest = app.store.rollout().await.context("reading the rollout")?;
        let (former, before) = match newest {
            Some(row) if row.revision_id == served.id && row.served_at == served.served_at => (None, row),
            former => (former, begin(app, served, now).await?),
        };
        let state = before.state()?;
        let orders = Orders::read(app, clusters, now).await?;
        let pins = pins(app, &orders).await?;
        let members = members(served, clusters, &pins, now);
        let alarms = alarms(app, served, &state, &members).await?;
        let world = World { fleet: &served.fleet, members: &members, alarms: &alarms, orders: &orders.rollout, now };
        let step = machine::step(&state, &world);
        let begins = (before.id == 0).then(|| began(served, &state, now));
        let happened = step.transitions.iter().map(|transition| event(served, transition, now));
        let events = orders.events.iter().cloned().chain(begins).chain(happened).collect();
        let fallback = match step.state.phase {
            Phase::Done => None,
            _ => app.store.last_rolled_out().await.context("reading the last rollout")?,
        };
        let told = step.tell.iter().copied().collect();
        Ok(Self { former, before, step, events, orders, pins, told, fallback, now })
    }

    /// The revision that a cluster should enforce.
    pub(super) fn goal(&self, told: &Told) -> Option<i64> {
        if let Some(pinned) = self.pins.get(&told.cluster_id) {
            return Some(*pinned);
        }
        let is_told = self.told.contains(&told.cluster_id) || self.step.state.phase == Phase::Done;
        if is_told { Some(self.before.revision_id) } else { told.revision_id.or(self.fallback) }
    }

    /// The commit that is rolled out.
    pub(super) fn revision(&self) -> &str {
        &self.before.revision
    }

    /// Whether there is anything to record.
    pub(super) fn is_news(&self) -> bool {
        let row = self.after();
        self.before.id == 0 || row != self.before || !self.events.is_empty() || self.orders.up_to.is_some()
    }

    /// Whether it goes on as soon as clusters prove something, or time passes.
    pub(super) fn may_go_on(&self) -> bool {
        self.step.state.phase == Phase::Rolling
    }

    fn after(&self) -> RolloutRow {
        let row = self.before.clone().with(&self.step.state);
        let ended_at = (self.step.state.phase == Phase::Done).then(|| row.ended_at.unwrap_or(self.now));
        RolloutRow { ended_at, ..row }
    }

    /// Keeps how far it is now, what happened, and that orders were obeyed.
    pub(super) async fn record(&self, tx: &mut Tx, now: i64) -> anyhow::Result<()> {
        if !self.is_news() {
            return Ok(());
        }
        if let Some(former) = self.former.as_ref().filter(|former| former.ended_at.is_none()) {
            let short = self.before.revision.get(..10).unwrap_or_default();
            let (reason, wave) = (format!("{short} came"), former.wave_name());
            let ended = RolloutRow { phase: Phase::Superseded.as_str().into(), ended_at: Some(now), ..former.clone() };
            tx.save_rollout(&ended).await?;
            let event = RolloutEvent { at: now, kind: word(Kind::Superseded), wave, reason, ordered_by: String::new() };
            tx.save_rollout_events(former.id, &[event]).await?;
        }
        let id = tx.save_rollout(&self.after()).await?;
        tx.save_rollout_events(id, &self.events).await?;
        for pin in &self.orders.pinned {
            tx.save_pin(pin).await?;
        }
        for cluster in &self.orders.unpinned {
            tx.drop_pin(*cluster).await?;
        }
        if let Some(up_to) = self.orders.up_to {
            tx.take_rollout_orders(up_to, now).await?;
        }
        Ok(())
    }

    /// Tells the log what happened.
    pub(super) fn say(&self) {
        let revision = self.revision();
        let short = revision.get(..10).unwrap_or_default();
        for RolloutEvent { kind, wave, reason, .. } in &self.events {
            match kind.as_str() {
                "halted" => {
                    tracing::error!(revision, wave, reason, "the rollout of {short} halted in wave `{wave}`: {reason}")
                }
                _ => tracing::info!(revision, wave, reason, "rollout of {short}, wave `{wave}`: {kind}"),
            }
        }
    }
}

impl Orders {
    async fn read(app: &App, clusters: &[Told], now: i64) -> anyhow::Result<Self> {
        let rows = app.store.rollout_orders().await.context("reading orders")?;
        let mut orders = Self { up_to: rows.last().map(|row| row.id), ..Self::default() };
        for row in rows {
            let kind = match row.kind.as_str() {
                "halt" => OrderKind::Halt,
                "resume" => OrderKind::Resume,
                "skip" => OrderKind::Skip,
                "urgent" => OrderKind::Urgent,
                _ => {
                    orders.take_pin(row, clusters, now);
                    continue;
                }
            };
            orders.rollout.push(Order { kind, reason: row.reason, by: row.ordered_by });
        }
        Ok(orders)
    }

    fn take_pin(&mut self, row: OrderRow, clusters: &[Told], now: i64) {
        let OrderRow { kind, cluster_id, revision_id, reason, ordered_by, .. } = row;
        let Some(told) = clusters.iter().find(|told| Some(told.cluster_id) == cluster_id) else { return };
        let (cluster_id, wave, happened) = (told.cluster_id, told.name.to_string(), reason.clone());
        let kept: Option<PinRow> = match (kind.as_str(), revision_id.or(told.revision_id)) {
            ("pin", Some(revision_id)) => {
                let (cluster, by) = (wave.clone(), ordered_by.clone());
                Some(PinRow {
                    cluster_id,
                    cluster,
                    revision_id,
                    revision: String::new(),
                    reason,
                    ordered_by: by,
                    at: now,
                })
            }
            _ => None,
        };
        let kind = if kept.is_some() { "pinned" } else { "unpinned" }.to_owned();
        self.pinned.retain(|pin| pin.cluster_id != cluster_id);
        self.unpinned.retain(|unpinned| *unpinned != cluster_id);
        match kept {
            Some(pin) => self.pinned.push(pin),
            None => self.unpinned.push(cluster_id),
        }
        self.events.push(RolloutEvent { at: now, kind, wave, reason: happened, ordered_by });
    }
}

impl RolloutRow {
    /// The name of the wave that it is in.
    pub fn wave_name(&self) -> String {
        let fleet = crate::store::fleet_of(&self.fleet);
        machine::wave_name(&fleet, usize::try_from(self.wave).unwrap_or(0)).to_owned()
    }
}

async fn begin(app: &App, served: &Served, now: i64) -> anyhow::Result<RolloutRow> {
    let says_so = served.fleet.urgent.trailer && is_urgent(&served.message);
    let is_revert = served.fleet.urgent.reverts && app.store.was_rolled_out(served.id, served.served_at).await?;
    let row = RolloutRow {
        id: 0,
        revision_id: served.id,
        served_at: served.served_at,
        phase: String::new(),
        wave: 0,
        wave_since: now,
        soak_since: None,
        urgent: 0,
        tolerated: String::new(),
        accepted: String::new(),
        began_at: now,
        ended_at: None,
        revision: served.revision.to_string(),
        message: served.message.clone(),
        fleet: String::new(),
    };
    Ok(row.with(&State::begin(says_so || is_revert, now)))
}

/// The revision by the cluster that stays at it.
pub(super) fn pins_of<'p>(rows: impl IntoIterator<Item = &'p PinRow>) -> HashMap<i64, i64> {
    rows.into_iter().map(|pin| (pin.cluster_id, pin.revision_id)).collect()
}

/// Where clusters stay, as orders leave it.
async fn pins(app: &App, orders: &Orders) -> anyhow::Result<HashMap<i64, i64>> {
    let rows = app.store.pins().await.context("reading which clusters stay")?;
    let mut pins: HashMap<i64, i64> =
        rows.iter().chain(&orders.pinned).map(|pin| (pin.cluster_id, pin.revision_id)).collect();
    pins.retain(|cluster, _| !orders.unpinned.contains(cluster));
    Ok(pins)
}

fn members(served: &Served, clusters: &[Told], pins: &HashMap<i64, i64>, now: i64) -> Vec<Member> {
    let taking_part = clusters.iter().filter(|told| !pins.contains_key(&told.cluster_id));
    taking_part.map(|told| member(served.id, served.revision.as_str(), &served.fleet, told, now)).collect()
}

/// A cluster as this revision's rollout sees it.
pub(super) fn member(id: i64, revision: &str, fleet: &Fleet, told: &Told, now: i64) -> Member {
    let is_told = told.revision_id == Some(id);
    let enforces = is_told && told.active_revision.as_deref() == Some(revision);
    let refused = is_told && told.refused_digest.is_some() && told.refused_digest == told.digest;
    let proof = match (enforces, refused) {
        // What it refused later, a renewal say, it was told after it had proved the revision.
        (true, _) => Proof::Enforces,
        (false, true) => Proof::Refused(told.refused_reason.clone().unwrap_or_default()),
        (false, false) => Proof::None,
    };
    Member {
        id: told.cluster_id,
        name: told.name.to_string(),
        wave: fleet.wave_of(&told.labels),
        told_at: told.issued_at.filter(|_| is_told),
        is_here: told.seen_at.is_some_and(|seen_at| (now - seen_at).abs() <= SEEN_WITHIN_MS),
        proof,
    }
}

/// Policies that do harm in the clusters of the wave that were told; asked for only where the wave has bounds.
async fn alarms(app: &App, served: &Served, state: &State, members: &[Member]) -> anyhow::Result<Vec<Alarm>> {
    let bounds = served.fleet.waves.get(state.wave).map(|wave| wave.halt_on).unwrap_or_default();
    let is_watched = bounds.deny_rate_rise.is_some() || bounds.error_rate_rise.is_some();
    if !is_watched || matches!(state.phase, Phase::Done | Phase::Superseded) {
        return Ok(vec![]);
    }
    let told = members.iter().filter(|member| member.wave == state.wave && member.told_at.is_some());
    let told: Vec<i64> = told.map(|member| member.id).collect();
    let judged = app.store.tallies(&told, served.revision.as_str(), state.wave_since).await;
    Ok(rate::alarms(bounds, &judged.context("reading what policies did")?, &BTreeSet::new()))
}

fn began(served: &Served, state: &State, now: i64) -> RolloutEvent {
    let reason = match state.urgent {
        true => "it is urgent: its author says so, or what it holds was rolled out before",
        false => "it is served",
    };
    let transition = Transition { kind: Kind::Began, wave: 0, reason: reason.into(), by: String::new() };
    event(served, &transition, now)
}

fn event(served: &Served, transition: &Transition, now: i64) -> RolloutEvent {
    let Transition { kind, wave, reason, by } = transition;
    let wave = machine::wave_name(&served.fleet, *wave).to_owned();
    RolloutEvent { at: now, kind: word(*kind), wave, reason: reason.clone(), ordered_by: by.clone() }
}

/// The word that rows have for it.
fn word(kind: Kind) -> String {
    let word = match kind {
        Kind::Began => "began",
        Kind::Reached => "reached",
        Kind::Advanced => "advanced",
        Kind::Halted => "halted",
        Kind::Resumed => "resumed",
        Kind::Skipped => "skipped",
        Kind::Hurried => "hurried",
        Kind::Done => "done",
        Kind::Superseded => "superseded",
    };
    word.to_owned()
}
