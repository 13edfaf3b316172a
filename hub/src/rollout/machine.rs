//! How a revision goes from wave to wave: what is known goes in, who is told and what happened comes out. A wave is told
//! after the one before has proved the revision for its soak; offline clusters are waited for by nobody and told when
//! their wave is over; what refuses, hangs or does harm halts it. Nothing here reads a clock or a database.

use super::rate::Alarm;
use serde::Serialize;
use std::collections::BTreeSet;
use writ_policy::Fleet;
use writ_policy::fleet::Wave;

/// How long a cluster that is heard may take to prove what it was told, in milliseconds; then it counts as one that refused.
pub const STUCK_AFTER_MS: i64 = 10 * 60 * 1000;
/// Clusters that a reason names; more are counted.
const NAMED: usize = 5;

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whether it goes on.
    pub phase: Phase,
    /// Which wave is told.
    pub wave: usize,
    /// Since when it is that one.
    pub wave_since: i64,
    /// Since when all of the wave that are heard enforce it.
    pub soak_since: Option<i64>,
    /// Whether waves are waited for no longer than the fleet says for urgent ones.
    pub urgent: bool,
    /// Clusters whose failing somebody accepted by resuming.
    pub tolerated: BTreeSet<i64>,
    /// Policies whose rise somebody accepted by resuming.
    pub accepted: BTreeSet<String>,
}

/// Whether a rollout goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Wave by wave.
    Rolling,
    /// No further cluster is told until somebody resumes it, or another revision comes.
    Halted,
    /// Every cluster is told, also those that enroll or come back later.
    Done,
    /// Another revision came before it was done.
    Superseded,
}

/// A cluster that takes part: it is not pinned.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its row.
    pub id: i64,
    /// Its name, for reasons.
    pub name: String,
    /// Which wave it is in.
    pub wave: usize,
    /// When it was told this revision.
    pub told_at: Option<i64>,
    /// Whether it was heard lately.
    pub is_here: bool,
    /// Whether it proved the revision, or why it refused.
    pub proof: Proof,
}

/// What a cluster did about what it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing yet.
    None,
    /// It enforces it.
    Enforces,
    /// It refused it, for this reason.
    Refused(String),
}

/// What somebody ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub kind: OrderKind,
    /// Why, in their words.
    pub reason: String,
    /// Who, as they say.
    pub by: String,
}

/// What may be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKind {
    /// Stop telling further clusters.
    Halt,
    /// Go on, and accept what halted it.
    Resume,
    /// Do not wait for this wave.
    Skip,
    /// Wait for no wave longer than for urgent revisions.
    Urgent,
}

/// All that a step depends on.
#[derive(Debug)]
pub struct World<'a> {
    /// The fleet as the revision has it.
    pub fleet: &'a Fleet,
    /// Clusters that take part, by id.
    pub members: &'a [Member],
    /// Policies that do more harm than the wave's bounds allow.
    pub alarms: &'a [Alarm],
    /// What was ordered since, in this order.
    pub orders: &'a [Order],
    /// Unix milliseconds.
    pub now: i64,
}

/// Something that happened, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// What.
    pub kind: Kind,
    /// In which wave.
    pub wave: usize,
    /// Why, for people.
    pub reason: String,
    /// Who ordered it; empty when nobody did.
    pub by: String,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The first wave is told.
    Began,
    /// All of a wave that are heard enforce it.
    Reached,
    /// The next wave is told.
    Advanced,
    /// It stopped.
    Halted,
    /// It goes on.
    Resumed,
    /// A wave was not waited for.
    Skipped,
    /// It is urgent from now on.
    Hurried,
    /// Every cluster is told.
    Done,
    /// Another revision came.
    Superseded,
}

/// What comes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How far it is now.
    pub state: State,
    /// Who is told the revision now, who was not before.
    pub tell: Vec<i64>,
    /// What happened.
    pub transitions: Vec<Transition>,
}

impl State {
    /// A rollout that begins.
    pub fn begin(urgent: bool, now: i64) -> Self {
        let (tolerated, accepted) = (BTreeSet::new(), BTreeSet::new());
        Self { phase: Phase::Rolling, wave: 0, wave_since: now, soak_since: None, urgent, tolerated, accepted }
    }
}

/// The name of a wave, for people.
pub fn wave_name(fleet: &Fleet, wave: usize) -> &str {
    fleet.waves.get(wave).map_or(if fleet.waves.is_empty() { "all" } else { "others" }, |wave| &wave.name)
}

/// One step: as far as it goes now.
pub fn step(state: &State, world: &World<'_>) -> Step {
    let mut machine = Machine { state: state.clone(), world, tell: vec![], transitions: vec![] };
    for order in world.orders {
        machine.obey(order);
    }
    machine.roll();
    if machine.state.phase == Phase::Done {
        machine.tell_all_up_to(usize::MAX);
    }
    let Machine { state, mut tell, transitions, .. } = machine;
    tell.sort_unstable();
    tell.dedup();
    Step { state, tell, transitions }
}

struct Machine<'a> {
    state: State,
    world: &'a World<'a>,
    tell: Vec<i64>,
    transitions: Vec<Transition>,
}

impl Machine<'_> {
    fn obey(&mut self, order: &Order) {
        let Order { kind, reason, by } = order;
        match (kind, self.state.phase) {
            (OrderKind::Halt, Phase::Rolling) => {
                self.state.phase = Phase::Halted;
                self.note(Kind::Halted, reason, by);
            }
            (OrderKind::Resume, Phase::Halted) => {
                self.state.phase = Phase::Rolling;
                self.state.tolerated.extend(self.failing().map(|member| member.id).collect::<Vec<_>>());
                self.state.accepted.extend(self.world.alarms.iter().map(|alarm| alarm.policy.clone()));
                self.note(Kind::Resumed, reason, by);
            }
            (OrderKind::Skip, Phase::Rolling) => {
                self.note(Kind::Skipped, reason, by);
                self.advance("it was skipped");
            }
            (OrderKind::Urgent, Phase::Rolling | Phase::Halted) if !self.state.urgent => {
                self.state.urgent = true;
                self.note(Kind::Hurried, reason, by);
            }
            _ => {}
        }
    }

    fn roll(&mut self) {
        while self.state.phase == Phase::Rolling {
            if let Some(reason) = self.harm() {
                self.state.phase = Phase::Halted;
                return self.note(Kind::Halted, &reason, "");
            }
            if self.wave().next().is_none() {
                self.advance("no cluster is in it");
                continue;
            }
            self.tell_some();
            if self.is_last_and_unwatched() && self.is_told() {
                self.advance("every cluster is told");
                continue;
            }
            if !self.is_reached() {
                return;
            }
            let now = self.world.now;
            let since = *self.state.soak_since.get_or_insert(now);
            if since == now {
                let (here, away) = self.counts();
                self.note(Kind::Reached, &reached(here, away), "");
            }
            let soak = self.soak();
            // A clock that was set back begins anew, instead of waiting for as long again.
            if now < since {
                self.state.soak_since = Some(now);
            }
            if now - since < soak {
                return;
            }
            self.advance("the wave before enforced it for as long as it should");
        }
    }

    /// What must stop it: policies that do harm, or as many failing clusters as may not be had at a time.
    fn harm(&self) -> Option<String> {
        let open: Vec<&str> = self
            .world
            .alarms
            .iter()
            .filter(|alarm| !self.state.accepted.contains(&alarm.policy))
            .map(|alarm| alarm.reason.as_str())
            .collect();
        if !open.is_empty() {
            return Some(listed(&open));
        }
        let failing: Vec<String> = self.failing().map(|member| self.why(member)).collect();
        (!failing.is_empty() && failing.len() >= self.limit().unwrap_or(1)).then(|| listed(&failing))
    }

    /// Clusters of the wave that failed, and nobody accepted it.
    fn failing(&self) -> impl Iterator<Item = &Member> {
        self.wave().filter(|member| self.has_failed(member) && !self.state.tolerated.contains(&member.id))
    }

    fn has_failed(&self, member: &Member) -> bool {
        member.is_here && (matches!(member.proof, Proof::Refused(_)) || self.is_stuck(member))
    }

    fn is_stuck(&self, member: &Member) -> bool {
        let waits = member.proof == Proof::None && member.is_here;
        waits && member.told_at.is_some_and(|told_at| self.world.now - told_at >= STUCK_AFTER_MS)
    }

    fn why(&self, member: &Member) -> String {
        match &member.proof {
            Proof::Refused(reason) => format!("{} refused it: {reason}", member.name),
            _ => format!("{} is heard and has not proved it in {} minutes", member.name, STUCK_AFTER_MS / 60_000),
        }
    }

    /// Tells as many of those that are heard as may be on their way at a time.
    fn tell_some(&mut self) {
        let untold = |member: &&Member| member.told_at.is_none() && member.is_here && !self.tell.contains(&member.id);
        let mut untold: Vec<i64> = self.wave().filter(untold).map(|member| member.id).collect();
        if let Some(limit) = self.limit() {
            let tolerated = &self.state.tolerated;
            let takes = |member: &&Member| {
                let on_the_way = member.told_at.is_some() && member.is_here && member.proof != Proof::Enforces;
                on_the_way && !tolerated.contains(&member.id)
            };
            let taken = self.wave().filter(takes).count() + self.tell.len();
            untold.truncate(limit.saturating_sub(taken));
        }
        self.tell.extend(untold);
    }

    /// All of the wave that are heard were told, and each proved it or failed with somebody's consent.
    fn is_reached(&self) -> bool {
        let limit = self.limit();
        self.wave().filter(|member| member.is_here).all(|member| {
            let failed = self.has_failed(member) && (limit.is_some() || self.state.tolerated.contains(&member.id));
            member.told_at.is_some() && (member.proof == Proof::Enforces || failed)
        })
    }

    fn is_told(&self) -> bool {
        self.wave().all(|member| !member.is_here || member.told_at.is_some() || self.tell.contains(&member.id))
    }

    /// Whether nothing that could still happen in this wave would keep anybody from the revision.
    fn is_last_and_unwatched(&self) -> bool {
        let is_last = !self.world.members.iter().any(|member| member.wave > self.state.wave);
        let bounds = self.config().map(|wave| wave.halt_on).unwrap_or_default();
        let is_watched = bounds.deny_rate_rise.is_some() || bounds.error_rate_rise.is_some();
        is_last && !is_watched && self.limit().is_none()
    }

    /// The next wave's turn; what is left of this one is told as it comes.
    fn advance(&mut self, reason: &str) {
        let now = self.world.now;
        self.tell_all_up_to(self.state.wave);
        self.state.wave += 1;
        self.state.wave_since = now;
        self.state.soak_since = None;
        self.state.tolerated.clear();
        if self.world.members.iter().all(|member| member.wave < self.state.wave) {
            self.state.wave -= 1;
            self.state.phase = Phase::Done;
            return self.note(Kind::Done, reason, "");
        }
        // Nobody needs to read about waves without clusters.
        if self.wave().next().is_some() {
            self.note(Kind::Advanced, reason, "");
        }
    }

    fn tell_all_up_to(&mut self, wave: usize) {
        let late = self.world.members.iter().filter(|member| member.wave <= wave && member.told_at.is_none());
        self.tell.extend(late.map(|member| member.id));
    }

    fn note(&mut self, kind: Kind, reason: &str, by: &str) {
        let (wave, reason, by) = (self.state.wave, reason.to_owned(), by.to_owned());
        self.transitions.push(Transition { kind, wave, reason, by });
    }

    fn wave(&self) -> impl Iterator<Item = &Member> {
        self.world.members.iter().filter(|member| member.wave == self.state.wave)
    }

    fn counts(&self) -> (usize, usize) {
        let enforcing = self.wave().filter(|member| member.proof == Proof::Enforces && member.is_here).count();
        (enforcing, self.wave().filter(|member| !member.is_here).count())
    }

    fn config(&self) -> Option<&Wave> {
        self.world.fleet.waves.get(self.state.wave)
    }

    fn limit(&self) -> Option<usize> {
        let most = self.config()?.max_unavailable?;
        Some(most.of(self.wave().count()))
    }

    fn soak(&self) -> i64 {
        let soak = self.config().map_or(0, |wave| wave.soak);
        if self.state.urgent { soak.min(self.world.fleet.urgent.soak) } else { soak }
    }
}

fn listed<T: AsRef<str>>(reasons: &[T]) -> String {
    let named: Vec<&str> = reasons.iter().take(NAMED).map(AsRef::as_ref).collect();
    match reasons.len().saturating_sub(NAMED) {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}

/// For people: how many clusters of a wave enforce a revision, and how many were not waited for.
fn reached(here: usize, away: usize) -> String {
    let enforce = if here == 1 { "cluster enforces" } else { "clusters enforce" };
    let are = if away == 1 { "is" } else { "are" };
    format!("{here} {enforce} it, {away} {are} offline")
}

#[cfg(test)]
mod tests;
