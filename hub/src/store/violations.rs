//! Violations as reports tell them: found by the hash of what they are about, changed in memory by `life`, written
//! back together with what happened to them. Full passes close what they did not see.

mod close;
mod find;
mod life;
mod rows;

pub use find::{ViolationEvent, ViolationRow};

use super::Tx;
use super::names::Names;
use super::reports::{News, namespace};
use crate::access::Agent;
use life::{Change, Word};
use rows::{Row, Totals};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;
use writ_policy::Digest;
use writ_policy::wire::{Fixed, Violation, ViolationKey};

/// How much one cluster may keep.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Violations of one cluster, fixed ones included; more are counted and not kept.
    pub violations: i64,
}

/// The id of a violation: the same whenever and wherever it is seen, so that a link to it stays.
pub fn violation_id(cluster: &str, key: &ViolationKey) -> Uuid {
    let mut text = String::new();
    for part in [cluster, key.policy.as_str(), namespace(&key.namespace), &key.kind, &key.workload] {
        text.push_str(&part.len().to_string());
        text.push(':');
        text.push_str(part);
    }
    let digest = Digest::of(text).to_string();
    let bits = u128::from_str_radix(&digest[..32], 16).expect("a digest is hex digits");
    uuid::Builder::from_custom_bytes(bits.to_be_bytes()).into_uuid()
}

/// An event in the life of a violation.
struct Event {
    violation: Uuid,
    at: i64,
    change: Change,
    reason: &'static str,
    revision: i64,
}

/// Changes of one day: opened, fixed, exempted (net).
type DayKey = (i64, i64, i64, i64);
type DaySums = [i64; 3];
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What the reports of one transaction do to violations, before it is written.
struct Work<'r> {
    rows: HashMap<Uuid, Row<'r>>,
    totals: BTreeMap<i64, Totals>,
    events: Vec<Event>,
    days: BTreeMap<DayKey, DaySums>,
    bounds: Bounds,
}

impl Tx {
    /// Takes in what these reports tell of violations, in their order.
    pub(super) async fn save_violations(
        &mut self,
        news: &[News<'_>],
        names: &Names,
        bounds: Bounds,
        now: i64,
    ) -> sqlx::Result<()> {
        // A pass closes by what is written, so what was told before it is written first.
        for news in news.split_inclusive(|news| !news.report().audits.is_empty()) {
            self.save_words(news, names, bounds, now).await?;
            if let Some(last) = news.last() {
                self.save_passes(*last, names, now).await?;
            }
        }
        Ok(())
    }

    async fn save_words(&mut self, news: &[News<'_>], names: &Names, bounds: Bounds, now: i64) -> sqlx::Result<()> {
        let mut ids = vec![];
        for news in news {
            let (agent, report) = (&news.accepted.agent, news.report());
            ids.extend(report.violations.iter().map(|violation| violation_id(agent.cluster.as_str(), &violation.key)));
            ids.extend(report.fixed.iter().map(|fixed| violation_id(agent.cluster.as_str(), &fixed.key)));
        }
        if ids.is_empty() {
            return Ok(());
        }
        ids.sort_unstable();
        ids.dedup();
        let clusters = news.iter().map(News::cluster).collect();
        let (rows, totals) = (self.violation_rows(&ids).await?, self.violation_totals(clusters).await?);
        let mut work = Work { rows, totals, events: vec![], days: BTreeMap::new(), bounds };
        for news in news {
            let agent = &news.accepted.agent;
            news.report().violations.iter().for_each(|violation| work.see(agent, violation, names));
            news.report().fixed.iter().for_each(|fixed| work.fix(agent, fixed, names));
        }
        self.write(work, now).await
    }

    async fn write(&mut self, work: Work<'_>, now: i64) -> sqlx::Result<()> {
        self.save_violation_rows(work.rows, now).await?;
        self.save_violation_events(&work.events, now).await?;
        self.add_violation_days(&work.days).await?;
        self.save_violation_totals(&work.totals).await
    }
}

impl<'r> Work<'r> {
    fn see(&mut self, agent: &Agent, violation: &'r Violation, names: &Names) {
        let id = violation_id(agent.cluster.as_str(), &violation.key);
        let totals = self.totals.entry(agent.cluster_id).or_default();
        let revision = names.id(violation.revision.as_str());
        let (row, change, exempted) = match self.rows.get_mut(&id) {
            Some(row) => {
                let before = row.life.counts_as_exempted();
                let change = row.life.see(violation.at, violation.exemption.is_some(), revision);
                row.told(violation, revision);
                let exempted = i64::from(row.life.counts_as_exempted()) - i64::from(before);
                (row, change, exempted)
            }
            None if totals.kept >= self.bounds.violations => {
                totals.overflow += 1;
                totals.changed = true;
                return;
            }
            None => {
                totals.kept += 1;
                let row = Row::first(agent.cluster_id, violation, names);
                let exempted = i64::from(row.life.counts_as_exempted());
                (self.rows.entry(id).or_insert(row), Some(Change::Opened), exempted)
            }
        };
        let word = Word { violation: id, at: violation.at, reason: "", revision };
        let place = row.place();
        self.note(place, word, change, exempted);
    }

    fn fix(&mut self, agent: &Agent, fixed: &Fixed, names: &Names) {
        let id = violation_id(agent.cluster.as_str(), &fixed.key);
        // Nothing is known of it: it was beyond the bound, or its sighting is still on its way and the next pass decides.
        let Some(row) = self.rows.get_mut(&id) else { return };
        let revision = names.id(fixed.revision.as_str());
        let before = row.life.counts_as_exempted();
        let change = row.life.fix(fixed.at, fixed.reason.as_str(), revision);
        let exempted = i64::from(row.life.counts_as_exempted()) - i64::from(before);
        let word = Word { violation: id, at: fixed.at, reason: fixed.reason.as_str(), revision };
        let place = row.place();
        self.note(place, word, change, exempted);
    }

    /// Keeps what happened for the history of the violation, of the day and of the cluster.
    fn note(
        &mut self,
        (cluster, namespace, policy): (i64, i64, i64),
        word: Word,
        change: Option<Change>,
        exempted: i64,
    ) {
        let Word { violation, at, reason, revision } = word;
        if change.is_none() && exempted == 0 {
            return;
        }
        let day = self.days.entry((at.div_euclid(DAY_MS), cluster, namespace, policy)).or_default();
        day[2] += exempted;
        let Some(change) = change else { return };
        let totals = self.totals.entry(cluster).or_default();
        totals.changed = true;
        match change {
            Change::Opened | Change::Reopened => (day[0], totals.open) = (day[0] + 1, totals.open + 1),
            Change::Fixed => (day[1], totals.open) = (day[1] + 1, totals.open - 1),
        }
        self.events.push(Event { violation, at, change, reason, revision });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_policy::PolicyName;

    #[test]
    fn id_is_of_the_key_and_parts_do_not_run_together() {
        let key = |kind: &str, workload: &str| ViolationKey {
            policy: PolicyName::new("a").unwrap(),
            namespace: None,
            kind: kind.into(),
            workload: workload.into(),
        };
        let id = violation_id("prod", &key("Pod", "Pod/a"));
        assert_eq!(id, violation_id("prod", &key("Pod", "Pod/a")));
        assert_eq!(id.get_version_num(), 8);
        for other in [key("PodP", "od/a"), key("Pod", "Pod/b")] {
            assert_ne!(id, violation_id("prod", &other));
        }
        assert_ne!(id, violation_id("dev", &key("Pod", "Pod/a")));
    }
}
