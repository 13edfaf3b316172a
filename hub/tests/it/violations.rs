//! Violations: one row per cluster, policy, namespace, kind and workload, with a life that late and repeated words do
//! not bend.

use crate::support::{NOW, TestAgent, TestHub, violation};
use writ_hub::store::{ViolationRow, violation_id};
use writ_policy::wire::{AuditPass, Fixed, FixedReason, Report, UnseenKind, Violation};

struct Told {
    hub: TestHub,
    agent: TestAgent,
    sequence: u64,
}

impl Told {
    async fn new() -> Self {
        let hub = TestHub::new().await;
        let agent = hub.enroll("prod").await;
        Self { hub, agent, sequence: 0 }
    }

    /// Sends the next report and is sure that it is stored.
    async fn tell(&mut self, report: Report) {
        self.sequence += 1;
        let report = Report { boot: self.agent.boot, sequence: self.sequence, ..report };
        let answer = self.agent.send(&self.hub, &report).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn seen(&mut self, violation: Violation) {
        self.tell(Report { violations: vec![violation], ..self.agent.report(1, vec![]) }).await;
    }

    async fn fixed(&mut self, workload: &str, at: i64) {
        let Violation { key, revision, .. } = violation(workload, at);
        let fixed = Fixed { key, at, reason: FixedReason::Passes, revision };
        self.tell(Report { fixed: vec![fixed], ..self.agent.report(1, vec![]) }).await;
    }

    async fn pass(&mut self, started_at: i64, unseen: &[&str]) {
        let unseen = unseen.iter().map(|kind| UnseenKind { kind: (*kind).into(), reason: "forbidden".into() });
        let revision = violation("x", 0).revision;
        let (finished_at, unseen) = (started_at + 5, unseen.collect());
        let pass = AuditPass { started_at, finished_at, revision, objects: 7, unseen };
        self.tell(Report { audits: vec![pass], ..self.agent.report(1, vec![]) }).await;
    }

    async fn row(&self, workload: &str) -> ViolationRow {
        let id = violation_id("prod", &violation(workload, 0).key).to_string();
        self.hub.hub.app.store.violation(&id).await.unwrap().unwrap()
    }

    async fn is_open(&self, workload: &str) -> bool {
        self.row(workload).await.fixed_at.is_none()
    }

    /// What happened to it, the oldest first.
    async fn events(&self, workload: &str) -> Vec<(i64, String)> {
        let id = self.row(workload).await.id;
        let events = self.hub.hub.app.store.violation_events(&id, 100).await.unwrap();
        events.into_iter().rev().map(|event| (event.at - NOW, event.event)).collect()
    }
}

fn events(of: &[(i64, &str)]) -> Vec<(i64, String)> {
    of.iter().map(|(at, event)| (*at, (*event).to_owned())).collect()
}

#[tokio::test]
async fn violation_is_one_row_however_often_it_is_seen() {
    let mut told = Told::new().await;
    for (at, message) in [(NOW, "one"), (NOW + 5, "two"), (NOW + 3, "late")] {
        told.seen(Violation { message: message.into(), ..violation("web", at) }).await;
    }
    let row = told.row("web").await;
    assert_eq!((row.sightings, row.first_seen_at, row.last_seen_at), (3, NOW, NOW + 5));
    assert_eq!((row.message.as_str(), row.workload.as_str()), ("two", "Deployment/web"), "the latest word stands");
    assert_eq!(told.events("web").await, events(&[(0, "opened")]));
}

#[tokio::test]
async fn fixed_violation_that_comes_back_keeps_its_id_and_first_history() {
    let mut told = Told::new().await;
    told.seen(violation("web", NOW)).await;
    let id = told.row("web").await.id;
    told.fixed("web", NOW + 10).await;
    let fixed = told.row("web").await;
    assert_eq!((fixed.fixed_at, fixed.fixed_reason.as_str()), (Some(NOW + 10), "passes"));
    told.seen(violation("web", NOW + 20)).await;
    let row = told.row("web").await;
    assert_eq!((row.id, row.first_seen_at, row.opened_at, row.reopenings), (id, NOW, NOW + 20, 1));
    assert_eq!(told.events("web").await, events(&[(0, "opened"), (10, "fixed"), (20, "reopened")]));
}

#[tokio::test]
async fn late_words_neither_open_nor_fix() {
    let mut told = Told::new().await;
    told.seen(violation("web", NOW + 10)).await;
    told.fixed("web", NOW + 5).await;
    assert!(told.is_open("web").await, "it was seen after that");
    told.fixed("web", NOW + 20).await;
    told.seen(violation("web", NOW + 15)).await;
    assert!(!told.is_open("web").await, "it was fixed after that");
}

#[tokio::test]
async fn pass_fixes_what_it_looked_at_and_did_not_see() {
    let mut told = Told::new().await;
    told.seen(violation("gone", NOW)).await;
    let mut other = violation("hidden", NOW);
    other.key.kind = "apps/Deployment".into();
    told.seen(other.clone()).await;
    told.seen(violation("there", NOW + 101)).await;
    told.pass(NOW + 100, &["apps/Deployment"]).await;
    let gone = told.row("gone").await;
    assert_eq!((gone.fixed_at, gone.fixed_reason.as_str()), (Some(NOW + 100), "unseen"));
    assert!(told.is_open("there").await);
    let hidden = violation_id("prod", &other.key).to_string();
    assert_eq!(told.hub.hub.app.store.violation(&hidden).await.unwrap().unwrap().fixed_at, None);
    told.pass(NOW + 200, &[]).await;
    assert!(!told.is_open("there").await);
}

#[tokio::test]
async fn pass_during_which_reports_were_lost_closes_nothing() {
    let mut told = Told::new().await;
    told.seen(violation("web", NOW)).await;
    // A report of this pass was dropped by the agent: the next one follows with a gap.
    told.sequence += 1;
    told.tell(Report { closed_at: NOW + 120, ..told.agent.report(1, vec![]) }).await;
    told.pass(NOW + 100, &[]).await;
    assert!(told.is_open("web").await);
    told.pass(NOW + 200, &[]).await;
    assert!(!told.is_open("web").await, "nothing was lost since this one began");
}

#[tokio::test]
async fn pass_of_a_clock_that_is_years_off_closes_nothing() {
    let mut told = Told::new().await;
    let year = 365 * 24 * 60 * 60 * 1000;
    told.seen(violation("web", NOW + year)).await;
    assert_eq!(told.row("web").await.last_seen_at, NOW, "the hub's clock stands in");
    told.hub.clock.set(NOW + 1_000);
    let report = Report { closed_at: NOW + year, ..told.agent.report(1, vec![]) };
    let revision = violation("x", 0).revision;
    let (started_at, finished_at) = (NOW + year - 10, NOW + year);
    let pass = AuditPass { started_at, finished_at, revision, objects: 7, unseen: vec![] };
    told.tell(Report { audits: vec![pass], ..report }).await;
    assert!(told.is_open("web").await);
}

#[tokio::test]
async fn report_of_violations_sent_twice_counts_once() {
    let mut told = Told::new().await;
    told.seen(violation("web", NOW)).await;
    told.sequence -= 1;
    told.seen(violation("web", NOW + 5)).await;
    assert_eq!(told.row("web").await.sightings, 1);
}
