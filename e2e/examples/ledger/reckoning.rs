//! What was answered against what is stored.

use super::Happened;
use super::answers::Answers;
use super::fleet::Fleet;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Of so many violations the events are counted too.
const LIVES: usize = 200;
/// Of what is wrong so many are named.
const NAMED: usize = 10;

/// The ledger.
#[derive(Debug, Default)]
pub(crate) struct Reckoning {
    happened: Happened,
    failures: Side,
    violations: Side,
    /// Violations whose end was recorded, and of them those that are still open.
    ended: u64,
    unended: u64,
    /// Reviews that were sent.
    sent: u64,
    /// What the agents counted as dropped.
    dropped: u64,
    /// Sums that do not match the rows.
    wrong_sums: Vec<String>,
}

/// One kind of record.
#[derive(Debug, Default)]
struct Side {
    /// Answered by an agent.
    answered: u64,
    stored: u64,
    /// Stored, and the answer did not arrive.
    unanswered: u64,
    /// In memory alone when the agent was killed.
    in_a_blink: u64,
    /// Not stored, of a time in which the agent may have dropped it.
    dropped: u64,
    lost: Vec<String>,
    doubled: Vec<String>,
}

/// What is told of each kind.
type Line<'l> = (&'l str, &'l dyn Fn(&Side) -> u64);

impl Side {
    fn lose(&mut self, what: String, may_be_dropped: bool) {
        match may_be_dropped {
            true => self.dropped += 1,
            false => self.lost.push(what),
        }
    }
}

impl Reckoning {
    pub(super) async fn of(fleet: &Fleet, answers: Vec<Answers>, happened: Happened) -> anyhow::Result<Self> {
        let counts = fleet.get("/api/v1/counts").await?;
        let mut reckoning = Self { happened, ..Self::default() };
        reckoning.sent = answers.iter().map(|answers| answers.sent).sum();
        reckoning.dropped = counts["dropped"].as_u64().context("what was dropped")?;
        reckoning.failures(fleet, &answers, &counts).await?;
        reckoning.violations(fleet, &answers).await?;
        Ok(reckoning)
    }

    async fn failures(&mut self, fleet: &Fleet, answers: &[Answers], counts: &Value) -> anyhow::Result<()> {
        let mut stored: HashMap<String, u64> = HashMap::new();
        for item in list(fleet, "/api/v1/failures?").await? {
            *stored.entry(text(&item, "review")?).or_default() += 1;
        }
        let side = &mut self.failures;
        side.stored = stored.len() as u64;
        side.doubled = stored.iter().filter(|(_, times)| **times > 1).map(|(review, _)| review.clone()).collect();
        let mut answered = HashSet::new();
        for (answers, objection) in answers.iter().flat_map(|all| all.objections.iter().map(move |one| (all, one))) {
            answered.insert(&objection.review);
            match stored.contains_key(&objection.review) {
                true => {}
                false if answers.blinked(objection) => side.in_a_blink += 1,
                false => side.lose(objection.review.clone(), answers.may_be_dropped(objection.at)),
            }
        }
        side.answered = answered.len() as u64;
        side.unanswered = stored.keys().filter(|review| !answered.contains(review)).count() as u64;
        let rows: u64 = stored.values().sum();
        for counted in ["failures", "policy_failures", "failing_reviews"] {
            let count = counts[counted].as_u64().context("a count")?;
            // What was dropped may have been of either.
            if count.abs_diff(rows) > self.dropped {
                self.wrong_sums.push(format!("{counted} are {count}, and {rows} are stored"));
            }
        }
        Ok(())
    }

    async fn violations(&mut self, fleet: &Fleet, answers: &[Answers]) -> anyhow::Result<()> {
        let mut stored: HashMap<(String, String), Value> = HashMap::new();
        for state in ["open", "fixed"] {
            for item in list(fleet, &format!("/api/v1/violations?state={state}&")).await? {
                let key = (text(&item, "cluster")?, text(&item, "object")?);
                // Each object is reviewed once, and told once.
                if stored.contains_key(&key) || item["sightings"] != 1 {
                    self.violations.doubled.push(format!("{item}"));
                }
                stored.insert(key, item);
            }
        }
        let mut known = 0;
        self.violations.stored = stored.len() as u64;
        for (answers, object) in answers.iter().flat_map(|all| all.objects.iter().map(move |one| (all, one))) {
            self.violations.answered += 1;
            let name = || format!("{}/{}", answers.cluster, object.name);
            let Some(item) = stored.get(&(answers.cluster.clone(), object.name.clone())) else {
                match answers.blinked_violation(object.at) {
                    true => self.violations.in_a_blink += 1,
                    false => self.violations.lose(name(), answers.may_be_dropped(object.at)),
                }
                continue;
            };
            known += 1;
            if let Some(deleted_at) = object.deleted_at
                && !answers.forgot(object)
            {
                self.ended += 1;
                if item["fixed_at"].is_null() {
                    self.unended += 1;
                    self.violations.lose(name(), answers.may_be_dropped(deleted_at));
                }
            }
        }
        self.violations.unanswered = self.violations.stored - known;
        self.lives(fleet, stored.values()).await
    }

    /// What happened to some of them: opened once, fixed once at most.
    async fn lives(&mut self, fleet: &Fleet, stored: impl Iterator<Item = &Value>) -> anyhow::Result<()> {
        for item in stored.take(LIVES) {
            let shown = fleet.get(&format!("/api/v1/violations/{}", text(item, "id")?)).await?;
            let events: Vec<&str> = rows(&shown["events"]).iter().filter_map(|event| event["event"].as_str()).collect();
            let count = |wanted: &str| events.iter().filter(|event| **event == wanted).count();
            if (count("opened"), events.len()) != (1, 1 + usize::from(!item["fixed_at"].is_null())) {
                self.wrong_sums.push(format!("the events of {} are {events:?}", item["object"]));
            }
        }
        Ok(())
    }

    /// An error when anything is missing or doubled.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let Self { failures, violations, dropped, wrong_sums, .. } = self;
        ensure!(failures.answered > 0 && violations.answered > 0, "nothing was judged");
        for (what, side) in [("failures", failures), ("violations", violations)] {
            ensure!(side.doubled.is_empty(), "{what} stored twice: {}", named(&side.doubled));
        }
        let lost = [&failures.lost[..], &violations.lost].concat();
        ensure!(lost.is_empty(), "lost without a word: {}", named(&lost));
        let missing = failures.dropped + violations.dropped;
        ensure!(missing <= *dropped, "{missing} are missing since disks were full, and agents counted {dropped}");
        ensure!(wrong_sums.is_empty(), "sums do not match: {}", named(wrong_sums));
        Ok(())
    }
}

impl fmt::Display for Reckoning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { happened, failures, violations, ended, unended, sent, dropped, wrong_sums } = self;
        write!(f, "{happened}")?;
        writeln!(f, "{sent} reviews were sent")?;
        writeln!(f, "{:<52}{:>10}{:>12}", "", "failures", "violations")?;
        let lines: [Line<'_>; 7] = [
            ("answered by an agent", &|side| side.answered),
            ("stored", &|side| side.stored),
            ("  of these the answer did not arrive", &|side| side.unanswered),
            ("in memory alone when its agent was killed", &|side| side.in_a_blink),
            ("stored twice", &|side| side.doubled.len() as u64),
            ("missing, of a time when the agents' disk was full", &|side| side.dropped),
            ("missing otherwise", &|side| side.lost.len() as u64),
        ];
        for (line, count) in lines {
            writeln!(f, "{line:<52}{:>10}{:>12}", count(failures), count(violations))?;
        }
        writeln!(f, "{:<52}{:>22}", "violations that ended, of which still open", format!("{ended}, {unended}"))?;
        writeln!(f, "{:<52}{dropped:>22}", "dropped, and counted by agents")?;
        writeln!(f, "{:<52}{:>22}", "sums that do not match", wrong_sums.len())?;
        match self.check() {
            Ok(()) => write!(f, "the ledger balances"),
            Err(error) => write!(f, "THE LEDGER DOES NOT BALANCE: {error}"),
        }
    }
}

fn named(all: &[String]) -> String {
    let some = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("{} ({some})", all.len())
}

/// All pages of a list.
async fn list(fleet: &Fleet, path: &str) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut next) = (vec![], String::new());
    loop {
        let mut page = fleet.get(&format!("{path}limit=1000{next}")).await?;
        if let Value::Array(items) = page["items"].take() {
            all.extend(items);
        }
        match page["next"].as_str() {
            Some(place) => next = format!("&before={place}"),
            None => return Ok(all),
        }
    }
}

fn text(item: &Value, field: &str) -> anyhow::Result<String> {
    Ok(item[field].as_str().with_context(|| format!("{field} of {item}"))?.to_owned())
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
