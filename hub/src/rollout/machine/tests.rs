//! The machine against fleets that come, go, refuse and hang.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const MINUTE: i64 = 60_000;

fn fleet(waves: serde_json::Value) -> Fleet {
    serde_json::from_value(json!({ "apiVersion": "writ.dev/v1", "kind": "Fleet", "waves": waves })).unwrap()
}

/// Three waves: a canary that soaks and is watched, one that may have two on their way, and the rest.
fn three() -> Fleet {
    fleet(json!([
        { "name": "canary", "soak": "10m", "haltOn": { "denyRateRise": "5%" } },
        { "name": "early", "soak": "5m", "maxUnavailable": 2 },
        { "name": "rest" },
    ]))
}

/// A fleet that is rolled through: clusters that obey what they are told, unless they are offline, refuse or hang.
struct Rolling {
    fleet: Fleet,
    state: State,
    members: Vec<Member>,
    now: i64,
    transitions: Vec<Transition>,
}

impl Rolling {
    /// Clusters by their waves, all of them heard.
    fn new(fleet: Fleet, waves: &[usize], urgent: bool) -> Self {
        let member = |(id, wave): (usize, &usize)| Member {
            id: id as i64,
            name: format!("c{id}"),
            wave: *wave,
            told_at: None,
            is_here: true,
            proof: Proof::None,
        };
        let members = waves.iter().enumerate().map(member).collect();
        Self { fleet, state: State::begin(urgent, 0), members, now: 0, transitions: vec![] }
    }

    fn step(&mut self, alarms: &[Alarm], orders: &[Order]) {
        let world = World { fleet: &self.fleet, members: &self.members, alarms, orders, now: self.now };
        let step = super::step(&self.state, &world);
        for id in &step.tell {
            let member = &mut self.members[*id as usize];
            assert_eq!(member.told_at, None, "nobody is told twice");
            member.told_at = Some(self.now);
        }
        self.state = step.state;
        self.transitions.extend(step.transitions);
        self.check();
    }

    /// What holds at every moment.
    fn check(&self) {
        let told = |member: &&Member| member.told_at.is_some();
        let beyond = self.members.iter().filter(told).filter(|member| member.wave > self.state.wave).count();
        assert!(beyond == 0 || self.state.phase == Phase::Done, "a wave was told before its turn: {:?}", self.state);
        if let Some(limit) = self.fleet.waves.get(self.state.wave).and_then(|wave| wave.max_unavailable) {
            let wave: Vec<&Member> = self.members.iter().filter(|member| member.wave == self.state.wave).collect();
            let on_the_way = |member: &&&Member| {
                // Who comes back after the wave was told is nobody's batch.
                member.told_at.is_some_and(|at| at == self.now) && member.is_here && member.proof == Proof::None
            };
            let on_the_way = wave.iter().filter(on_the_way).count();
            assert!(on_the_way <= limit.of(wave.len()) || self.state.phase == Phase::Done, "{on_the_way} at a time");
        }
    }

    /// Those who were told and are heard prove it.
    fn prove(&mut self) {
        for member in self.members.iter_mut().filter(|member| member.told_at.is_some() && member.is_here) {
            if member.proof == Proof::None {
                member.proof = Proof::Enforces;
            }
        }
    }

    fn told(&self) -> Vec<i64> {
        self.members.iter().filter(|member| member.told_at.is_some()).map(|member| member.id).collect()
    }

    fn kinds(&self) -> Vec<Kind> {
        self.transitions.iter().map(|transition| transition.kind).collect()
    }

    fn last_reason(&self) -> &str {
        &self.transitions.last().unwrap().reason
    }
}

fn alarm() -> Alarm {
    Alarm { policy: "poison".into(), reason: "`poison` denies 9 of 9".into() }
}

fn order(kind: OrderKind) -> Order {
    Order { kind, reason: "because".into(), by: "ada".into() }
}

#[test]
fn fleet_without_waves_is_told_at_once() {
    let mut rolling = Rolling::new(fleet(json!([])), &[0, 0, 0], false);
    rolling.members[1].is_here = false;
    rolling.step(&[], &[]);
    assert_eq!((rolling.told(), rolling.state.phase), (vec![0, 1, 2], Phase::Done));
}

#[test]
fn next_wave_comes_after_the_soak_of_the_one_before() {
    let mut rolling = Rolling::new(three(), &[0, 1, 1, 1, 2], false);
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [0]);
    rolling.prove();
    rolling.step(&[], &[]);
    rolling.now += 10 * MINUTE - 1;
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [0], "it soaks");
    rolling.now += 1;
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [0, 1, 2], "two at a time");
    rolling.prove();
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [0, 1, 2, 3]);
    rolling.prove();
    rolling.step(&[], &[]);
    rolling.now += 5 * MINUTE;
    rolling.step(&[], &[]);
    assert_eq!((rolling.told().len(), rolling.state.phase), (5, Phase::Done));
    assert_eq!(rolling.kinds(), [Kind::Reached, Kind::Advanced, Kind::Reached, Kind::Advanced, Kind::Done]);
}

#[test]
fn refusal_halts_and_resuming_accepts_it() {
    let mut rolling = Rolling::new(three(), &[0, 0, 2], false);
    rolling.step(&[], &[]);
    rolling.members[0].proof = Proof::Refused("no memory".into());
    rolling.prove();
    rolling.step(&[], &[]);
    assert_eq!((rolling.state.phase, rolling.last_reason()), (Phase::Halted, "c0 refused it: no memory"));
    rolling.now += 20 * MINUTE;
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [0, 1], "it stays halted");
    rolling.step(&[], &[order(OrderKind::Resume)]);
    rolling.now += 10 * MINUTE;
    rolling.step(&[], &[]);
    assert_eq!(rolling.state.phase, Phase::Done);
    assert_eq!(rolling.transitions[1].by, "ada");
}

#[test]
fn cluster_that_hangs_counts_as_one_that_refused() {
    let mut rolling = Rolling::new(three(), &[1, 1, 1, 1], false);
    rolling.step(&[], &[]);
    rolling.now += STUCK_AFTER_MS;
    rolling.step(&[], &[]);
    assert_eq!(rolling.state.phase, Phase::Halted, "two of two hang");
    assert!(rolling.last_reason().contains("c0 is heard and has not proved it in 10 minutes"));
}

#[test]
fn harm_halts_and_is_told_and_resuming_accepts_the_policy() {
    let mut rolling = Rolling::new(three(), &[0, 2], false);
    rolling.step(&[], &[]);
    rolling.prove();
    rolling.step(&[alarm()], &[]);
    assert_eq!((rolling.state.phase, rolling.last_reason()), (Phase::Halted, "`poison` denies 9 of 9"));
    rolling.step(&[alarm()], &[order(OrderKind::Resume)]);
    rolling.now += 10 * MINUTE;
    rolling.step(&[alarm()], &[]);
    assert_eq!(rolling.state.phase, Phase::Done);
}

#[test]
fn orders_halt_skip_and_hurry() {
    let mut rolling = Rolling::new(three(), &[0, 1, 2], false);
    rolling.step(&[], &[order(OrderKind::Halt)]);
    assert_eq!((rolling.told(), rolling.last_reason()), (vec![], "because"));
    rolling.step(&[], &[order(OrderKind::Resume), order(OrderKind::Skip)]);
    assert_eq!(rolling.told(), [0, 1], "the canary is told and not waited for");
    rolling.prove();
    rolling.step(&[], &[order(OrderKind::Urgent)]);
    assert_eq!(rolling.state.phase, Phase::Done, "no soak is left");
    let before = [Kind::Halted, Kind::Resumed, Kind::Skipped, Kind::Advanced];
    let after = [Kind::Hurried, Kind::Reached, Kind::Advanced, Kind::Done];
    assert_eq!(rolling.kinds(), [before, after].concat());
}

#[test]
fn offline_clusters_are_told_when_they_are_back_or_their_wave_is_over() {
    let mut rolling = Rolling::new(three(), &[0, 0, 1], false);
    rolling.members[0].is_here = false;
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [1]);
    rolling.members[0].is_here = true;
    rolling.step(&[], &[]);
    assert_eq!(rolling.told(), [0, 1], "it is back within its wave");
    rolling.members[2].is_here = false;
    rolling.prove();
    rolling.step(&[], &[]);
    rolling.now += 10 * MINUTE;
    rolling.step(&[], &[]);
    rolling.now += 5 * MINUTE;
    rolling.step(&[], &[]);
    assert_eq!((rolling.told(), rolling.state.phase), (vec![0, 1, 2], Phase::Done));
}

/// Waves, and for each cluster whether it is heard.
fn clusters() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0..3_usize, any::<bool>()), 0..12)
}

proptest! {
    /// Whatever comes and goes, no wave is told before its turn, and it ends: done, or halted for a reason.
    #[test]
    fn rollout_ends_whoever_is_offline(clusters in clusters(), flips in prop::collection::vec(any::<prop::sample::Index>(), 40)) {
        let waves: Vec<usize> = clusters.iter().map(|(wave, _)| *wave).collect();
        let mut rolling = Rolling::new(three(), &waves, false);
        for (member, (_, is_here)) in rolling.members.iter_mut().zip(&clusters) {
            member.is_here = *is_here;
        }
        for flip in flips {
            rolling.step(&[], &[]);
            if !clusters.is_empty() {
                let flipped = flip.index(clusters.len());
                rolling.members[flipped].is_here ^= true;
            }
            rolling.now += MINUTE;
            rolling.prove();
        }
        // From now on everyone stays as they are, for ever offline or not.
        for _ in 0..40 {
            rolling.now += MINUTE;
            rolling.step(&[], &[]);
            rolling.prove();
        }
        prop_assert_eq!(rolling.state.phase, Phase::Done);
        prop_assert_eq!(rolling.told().len(), clusters.len());
    }

    /// A policy that does harm wherever it is enforced never leaves the first wave that anybody can hear.
    #[test]
    fn poison_never_leaves_the_first_wave(clusters in clusters(), slow in 0..9_usize) {
        let waves: Vec<usize> = clusters.iter().map(|(wave, _)| *wave).collect();
        let mut rolling = Rolling::new(three(), &waves, false);
        for member in rolling.members.iter_mut().filter(|member| member.wave > 0) {
            member.is_here = clusters[member.id as usize].1;
        }
        let canaries: Vec<i64> = rolling.members.iter().filter(|member| member.wave == 0).map(|member| member.id).collect();
        prop_assume!(!canaries.is_empty());
        for minute in 0..60 {
            let enforced = rolling.members.iter().any(|member| member.proof == Proof::Enforces);
            // Its counts arrive some minutes after, within the soak.
            let alarms = if enforced && minute >= slow { vec![alarm()] } else { vec![] };
            rolling.step(&alarms, &[]);
            rolling.prove();
            rolling.now += MINUTE;
        }
        prop_assert_eq!(rolling.state.phase, Phase::Halted);
        prop_assert_eq!(rolling.told(), canaries);
    }

    /// A revert passes in as many steps as there are batches, without waiting for any soak.
    #[test]
    fn revert_passes_without_a_soak(clusters in clusters()) {
        let waves: Vec<usize> = clusters.iter().map(|(wave, _)| *wave).collect();
        let mut rolling = Rolling::new(three(), &waves, true);
        for (member, (_, is_here)) in rolling.members.iter_mut().zip(&clusters) {
            member.is_here = *is_here;
        }
        for _ in 0..clusters.len() + 3 {
            rolling.step(&[], &[]);
            rolling.prove();
            rolling.now += 1_000;
        }
        prop_assert_eq!(rolling.state.phase, Phase::Done);
    }

    /// Refusals and hangs halt it or are within the limit; either way it ends.
    #[test]
    fn failing_clusters_end_it_one_way_or_the_other(clusters in clusters(), failing in prop::collection::vec(0..3_u8, 12)) {
        let waves: Vec<usize> = clusters.iter().map(|(wave, _)| *wave).collect();
        let mut rolling = Rolling::new(three(), &waves, false);
        for _ in 0..80 {
            rolling.step(&[], &[]);
            for (member, how) in rolling.members.iter_mut().zip(&failing) {
                if member.told_at.is_some() && member.proof == Proof::None {
                    match how {
                        0 => member.proof = Proof::Refused("no".into()),
                        1 => {}
                        _ => member.proof = Proof::Enforces,
                    }
                }
            }
            rolling.now += MINUTE;
        }
        prop_assert!(matches!(rolling.state.phase, Phase::Done | Phase::Halted));
    }
}
