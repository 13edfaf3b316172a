//! Random conversations (replays, gaps, late words, several boots, groups, restarts) against a model that is simple
//! enough to be seen to be right: whatever happens on the way, the rows say what was told once.

use super::*;
use crate::store::Store;
use crate::store::fresh::Fresh;
use std::collections::BTreeMap;
use uuid::Uuid;
use writ_policy::wire::{AuditPass, Failure, Fixed, FixedReason, PolicyCount, Violation};
use writ_policy::{AgentId, ClusterName, PolicyName, Revision};

const BASE: i64 = 1_750_000_000_000;
const CONVERSATIONS: u64 = 24;
const WORKLOADS: usize = 4;

/// What must be stored.
#[derive(Default)]
struct Model {
    cursors: BTreeMap<Uuid, (u64, i64)>,
    failures: u64,
    passes: u64,
    /// By workload: when it was seen, and when it was said to be no more while it was known.
    violations: [(Vec<i64>, Vec<i64>); WORKLOADS],
}

impl Model {
    /// Takes in a report, unless it was told before.
    fn tell(&mut self, report: &Report) {
        let (sequence, gap_at) = self.cursors.entry(report.boot).or_default();
        if report.sequence <= *sequence {
            return;
        }
        if report.sequence > *sequence + 1 {
            *gap_at = report.closed_at.max(*gap_at);
        }
        *sequence = report.sequence;
        let gap_at = *gap_at;
        self.failures += report.failures.len() as u64;
        self.passes += report.policy_counts.iter().map(|count| count.passes).sum::<u64>();
        for violation in &report.violations {
            self.violations[workload(&violation.key)].0.push(violation.at);
        }
        for fixed in &report.fixed {
            let (seen, fixes) = &mut self.violations[workload(&fixed.key)];
            fixes.extend((!seen.is_empty()).then_some(fixed.at));
        }
        for pass in report.audits.iter().filter(|pass| pass.started_at > gap_at) {
            for told in self.violations.iter_mut().filter(|told| Self::is_open(told)) {
                // A pass says nothing of what it saw.
                let last_seen = told.0.iter().max();
                told.1.extend(last_seen.filter(|last| **last < pass.started_at).map(|_| pass.started_at));
            }
        }
    }

    fn is_open((seen, fixes): &(Vec<i64>, Vec<i64>)) -> bool {
        seen.iter().max() > fixes.iter().max()
    }
}

fn workload(key: &ViolationKey) -> usize {
    key.workload.parse().unwrap()
}

fn key(workload: usize) -> ViolationKey {
    let (namespace, kind) = ("shop".parse().ok(), "Pod".to_owned());
    ViolationKey { policy: PolicyName::new("a").unwrap(), namespace, kind, workload: workload.to_string() }
}

fn violation(workload: usize, at: i64) -> Violation {
    let json = serde_json::json!({ "policy": "a", "namespace": "shop", "kind": "Pod", "workload": workload.to_string(),
        "at": at, "code": "A1", "action": "warn", "outcome": "fail", "message": "no", "name": "x", "objects": 1,
        "revision": "0".repeat(40) });
    serde_json::from_value(json).unwrap()
}

fn failure(at: i64) -> Failure {
    let json = serde_json::json!({ "id": Uuid::now_v7(), "at": at, "review": "r", "policy": "a", "code": "A1",
        "action": "warn", "outcome": "fail", "message": "no", "namespace": "shop", "kind": "Pod", "name": "x",
        "workload": "Pod/x", "operation": "CREATE", "user": "u", "revision": "0".repeat(40) });
    serde_json::from_value(json).unwrap()
}

/// Makes up reports.
struct Talk {
    random: fastrand::Rng,
    boots: Vec<(Uuid, u64)>,
    said: Vec<Report>,
}

impl Talk {
    fn report(&mut self) -> Report {
        if !self.said.is_empty() && self.random.u8(..4) == 0 {
            return self.said[self.random.usize(..self.said.len())].clone();
        }
        if self.boots.is_empty() || self.random.u8(..12) == 0 {
            self.boots.push((Uuid::new_v4_of(&mut self.random), 0));
        }
        let place = self.random.usize(..self.boots.len());
        self.boots[place].1 += if self.random.u8(..10) == 0 { 2 } else { 1 };
        let (boot, sequence) = self.boots[place];
        let json = serde_json::json!({ "boot": boot, "sequence": sequence, "closed_at": self.time() });
        let mut report: Report = serde_json::from_value(json).unwrap();
        for _ in 0..self.random.usize(..4) {
            let (at, workload) = (self.time(), self.random.usize(..WORKLOADS));
            match self.random.u8(..5) {
                0 => report.failures.push(failure(at)),
                1 => report.policy_counts.push(self.count()),
                2 | 3 => report.violations.push(violation(workload, at)),
                _ => report.fixed.push(Fixed {
                    key: key(workload),
                    at,
                    reason: FixedReason::Passes,
                    revision: Revision::new("0".repeat(40)).unwrap(),
                }),
            }
        }
        if self.random.u8(..6) == 0 {
            let (started_at, revision) = (self.time(), Revision::new("0".repeat(40)).unwrap());
            let pass = AuditPass { started_at, finished_at: started_at, revision, objects: 1, unseen: vec![] };
            report.audits.push(pass);
        }
        self.said.push(report.clone());
        report
    }

    fn count(&mut self) -> PolicyCount {
        let json = serde_json::json!({ "minute": self.time() / 60_000, "namespace": "shop", "policy": "a", "code": "A1",
            "revision": self.random.u8(..2).to_string().repeat(40), "passes": self.random.u64(1..9), "failures": 0,
            "denials": 0, "errors": 0, "micros": 5 });
        serde_json::from_value(json).unwrap()
    }

    /// Within a few days, and often the same.
    fn time(&mut self) -> i64 {
        BASE + self.random.i64(0..40) * 3_600_000 * 2
    }
}

trait OfRandom {
    fn new_v4_of(random: &mut fastrand::Rng) -> Self;
}

impl OfRandom for Uuid {
    fn new_v4_of(random: &mut fastrand::Rng) -> Self {
        Uuid::from_u128(random.u128(..))
    }
}

async fn enroll(store: &Store, number: u64) -> Agent {
    let (id, cluster) = (AgentId::new(Uuid::now_v7().to_string()).unwrap(), format!("c{number}"));
    let mut tx = store.seed().await.unwrap();
    tx.seed_cluster(&cluster, "{}", None).await.unwrap();
    let find = "SELECT id FROM clusters WHERE name = $1";
    let cluster_id: i64 = on!(tx &mut tx, |connection| {
        sqlx::query_scalar(find).bind(&cluster).fetch_one(connection).await.unwrap()
    });
    let credential = writ_policy::Digest::of(id.as_str());
    tx.save_agent(&id, cluster_id, &credential, BASE).await.unwrap();
    tx.commit().await.unwrap();
    Agent { id, cluster_id, cluster: ClusterName::new(cluster).unwrap() }
}

async fn number(store: &Store, sql: &'static str, cluster: i64) -> i64 {
    on!(store, |pool| sqlx::query_scalar(sql).bind(cluster).fetch_one(pool).await).unwrap()
}

async fn check(store: &Store, agent: &Agent, model: &Model) {
    let count = async |sql| number(store, sql, agent.cluster_id).await;
    assert_eq!(count("SELECT COUNT(*) FROM failures WHERE cluster_id = $1").await, model.failures as i64);
    let recent =
        count("SELECT CAST(COALESCE(SUM(passes), 0) AS BIGINT) FROM recent WHERE what = 1 AND cluster_id = $1").await;
    for sql in [
        "SELECT CAST(COALESCE(SUM(judged), 0) AS BIGINT) FROM sums WHERE span = 1 AND kind = 4 AND subject_id = $1",
        "SELECT CAST(COALESCE(SUM(judged), 0) AS BIGINT) FROM sums WHERE span = 60 AND kind = 4 AND subject_id = $1",
        "SELECT CAST(COALESCE(SUM(judged), 0) AS BIGINT) FROM sums WHERE span = 1440 AND kind = 4 AND subject_id = $1",
        "SELECT CAST(COALESCE(SUM(passes), 0) AS BIGINT) FROM rollups WHERE span = 60 AND cluster_id = $1",
        "SELECT CAST(COALESCE(SUM(passes), 0) AS BIGINT) FROM rollups WHERE span = 1440 AND cluster_id = $1",
    ] {
        assert_eq!(recent + count(sql).await, model.passes as i64, "{sql}");
    }
    let mut open = 0;
    for (place, told) in model.violations.iter().enumerate().filter(|(_, told)| !told.0.is_empty()) {
        let id = super::super::violation_id(agent.cluster.as_str(), &key(place)).to_string();
        let row = store.violation(&id).await.unwrap().unwrap();
        assert_eq!(row.fixed_at.is_none(), Model::is_open(told), "{place}: {told:?} {row:?}");
        assert_eq!(row.sightings, told.0.len() as i64);
        let seen = (told.0.iter().min().copied(), told.0.iter().max().copied());
        assert_eq!((Some(row.first_seen_at), Some(row.last_seen_at)), seen);
        let events = store.violation_events(&id, 1_000).await.unwrap();
        let balance: i64 = events.iter().map(|event| if event.event == "fixed" { -1 } else { 1 }).sum();
        assert_eq!(balance, i64::from(row.fixed_at.is_none()), "{events:?}");
        open += balance;
    }
    for sql in [
        "SELECT CAST(COALESCE(SUM(open), 0) AS BIGINT) FROM violation_totals WHERE cluster_id = $1",
        "SELECT CAST(COALESCE(SUM(opened - fixed), 0) AS BIGINT) FROM violation_days WHERE cluster_id = $1",
        "SELECT COUNT(*) FROM violations WHERE cluster_id = $1 AND fixed_at IS NULL",
    ] {
        assert_eq!(count(sql).await, open, "{sql}");
    }
}

#[tokio::test]
async fn rows_are_what_a_simple_model_says_whatever_happens_on_the_way() {
    let fresh = Fresh::new().await;
    let store = &fresh.store;
    let mut names = Names::default();
    for seed in 0..CONVERSATIONS {
        let agent = enroll(store, seed).await;
        let mut talk = Talk { random: fastrand::Rng::with_seed(seed), boots: vec![], said: vec![] };
        let mut model = Model::default();
        for _ in 0..30 {
            let reports: Vec<Report> = (0..talk.random.usize(1..4)).map(|_| talk.report()).collect();
            let accept =
                |report: &Report| Accepted { agent: agent.clone(), report: report.clone(), clock_is_wrong: false };
            let group: Vec<Accepted> = reports.iter().map(accept).collect();
            let mut tx = store.begin().await.unwrap();
            tx.save_reports(&group, &mut names, Bounds { violations: 100 }, BASE).await.unwrap();
            if talk.random.u8(..6) == 0 {
                // The process dies before the commit; the agent sends the same again, or never does.
                drop(tx);
                names = Names::default();
                continue;
            }
            tx.commit().await.unwrap();
            names.committed();
            reports.iter().for_each(|report| model.tell(report));
            if talk.random.u8(..3) == 0 {
                store.fold(talk.random.i64(1..9), talk.random.i64(0..9)).await.unwrap();
            }
        }
        check(store, &agent, &model).await;
    }
}

#[tokio::test]
async fn failure_told_again_in_another_report_is_stored_and_counted_once() {
    let fresh = Fresh::new().await;
    let agent = enroll(&fresh.store, 0).await;
    let [first, second, third] = [0, 1, 2].map(|at| failure(BASE + at));
    let told = [vec![first, second.clone()], vec![second, third.clone(), third]];
    for (sequence, failures) in (1..).zip(told) {
        let json = serde_json::json!({ "boot": Uuid::from_u128(1), "sequence": sequence, "closed_at": BASE });
        let mut report: Report = serde_json::from_value(json).unwrap();
        report.failures = failures;
        let mut tx = fresh.store.begin().await.unwrap();
        let accepted = Accepted { agent: agent.clone(), report, clock_is_wrong: false };
        tx.save_reports(&[accepted], &mut Names::default(), Bounds { violations: 3 }, BASE).await.unwrap();
        tx.commit().await.unwrap();
    }
    let count = async |sql| number(&fresh.store, sql, agent.cluster_id).await;
    assert_eq!(count("SELECT COUNT(*) FROM failures WHERE cluster_id = $1").await, 3);
    let counts = fresh.store.counts(0).await.unwrap();
    assert_eq!((counts.failures, counts.failures_by_code["A1"]), (3, 3));
    fresh.store.fold(1_000, 3).await.unwrap();
    fresh.store.tidy_recent().await.unwrap();
    assert_eq!(fresh.store.counts(0).await.unwrap(), counts, "before and after folding");
}

#[tokio::test]
async fn violations_beyond_the_bound_are_counted_and_not_kept() {
    let fresh = Fresh::new().await;
    let agent = enroll(&fresh.store, 0).await;
    let json = serde_json::json!({ "boot": Uuid::from_u128(1), "sequence": 1, "closed_at": BASE });
    let mut report: Report = serde_json::from_value(json).unwrap();
    report.violations = (0..5).map(|workload| violation(workload, BASE)).collect();
    let mut tx = fresh.store.begin().await.unwrap();
    let accepted = Accepted { agent: agent.clone(), report, clock_is_wrong: false };
    tx.save_reports(&[accepted], &mut Names::default(), Bounds { violations: 3 }, BASE).await.unwrap();
    tx.commit().await.unwrap();
    let count = async |sql| number(&fresh.store, sql, agent.cluster_id).await;
    assert_eq!(count("SELECT COUNT(*) FROM violations WHERE cluster_id = $1").await, 3);
    assert_eq!(count("SELECT overflow FROM violation_totals WHERE cluster_id = $1").await, 2);
}

#[tokio::test]
async fn full_disk_stores_nothing_of_a_report_and_takes_it_later() {
    let fresh = Fresh::new().await;
    let Store::Sqlite { writer, .. } = &fresh.store else { return };
    let agent = enroll(&fresh.store, 0).await;
    let json = serde_json::json!({ "boot": Uuid::from_u128(1), "sequence": 1, "closed_at": BASE });
    let mut report: Report = serde_json::from_value(json).unwrap();
    report.failures = (0..500).map(|_| failure(BASE)).collect();
    let accepted = [Accepted { agent: agent.clone(), report, clock_is_wrong: false }];
    let save = async || {
        let mut tx = fresh.store.begin().await?;
        tx.save_reports(&accepted, &mut Names::default(), Bounds { violations: 3 }, BASE).await?;
        tx.commit().await
    };
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(writer).await.unwrap();
    let most = async |pages: i64| {
        let text = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(text).execute(writer).await.unwrap();
    };
    most(pages + 2).await;
    let error = super::super::cannot_write(save().await.unwrap_err()).to_string();
    assert!(error.contains("disk is full"), "{error}");
    let count =
        async || number(&fresh.store, "SELECT COUNT(*) FROM failures WHERE cluster_id = $1", agent.cluster_id).await;
    assert_eq!(count().await, 0);
    most(1 << 30).await;
    save().await.unwrap();
    assert_eq!(count().await, 500);
}
