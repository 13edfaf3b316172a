//! The policies of one bundle, compiled, with the settings of one cluster. One per evaluation thread: it is neither
//! shared nor sent while in use, because sharing the engine's reference counts between threads costs more than it gives.

pub(crate) mod compile;
mod index;
mod judge;
mod namespaces;

use crate::check::{CheckReport, check_and_compile};
use crate::decision::{Decision, PolicyInfo, PolicyResult};
use crate::review::parse::Review;
use crate::review::{Namespaces, ReviewError, ReviewFacts};
use crate::{Settings, SourceFile};
use index::Index;
use judge::{Judge, Subject};
use namespaces::NamespaceCache;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one evaluation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The longest that one policy may take; then it is its error.
    pub per_policy: Duration,
    /// The longest that one review may take; policies that were not reached by then are errors.
    pub per_review: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_policy: Duration::from_millis(500), per_review: Duration::from_secs(2) }
    }
}

/// Policies ready to decide.
pub struct PolicySet {
    policies: Vec<Arc<PolicyInfo>>,
    judges: Vec<Judge>,
    index: Index,
    settings: Settings,
    namespaces: NamespaceCache,
}

/// A review and what came of it.
#[derive(Debug)]
pub struct Decided {
    /// What reports carry of the review.
    pub facts: ReviewFacts,
    /// What the policies said.
    pub decision: Decision,
}

impl PolicySet {
    /// Compiles the files of a bundle for a cluster with these settings. Files that do not load are errors of the
    /// report, and the caller decides whether the rest may be enforced (the agent refuses the bundle).
    pub fn load(files: &[SourceFile], settings: &Settings) -> (Self, CheckReport) {
        // Tests decide nothing, and the self-test has read them; leaving them out makes a swap quick.
        let deciding: Vec<SourceFile> = files.iter().filter(|file| !file.is_test()).cloned().collect();
        let (report, compiled) = check_and_compile(&deciding);
        let index = Index::build(compiled.iter().map(|policy| policy.info.as_ref()));
        let judges: Vec<Judge> = compiled.into_iter().map(|policy| Judge::new(policy, settings)).collect();
        let policies: Vec<Arc<PolicyInfo>> = judges.iter().map(|judge| judge.info.clone()).collect();
        let namespaces = NamespaceCache::default();
        (Self { policies, judges, index, settings: settings.clone(), namespaces }, report)
    }

    /// The policies, sorted by code.
    pub fn policies(&self) -> &[Arc<PolicyInfo>] {
        &self.policies
    }

    /// Judges one AdmissionReview by all policies whose kinds match. `now` is Unix milliseconds, and what
    /// policies see as `time.now_ns`.
    pub fn decide(
        &mut self,
        review: &[u8],
        namespaces: &dyn Namespaces,
        budget: &Budget,
        now: i64,
    ) -> Result<Decided, ReviewError> {
        crate::engine::builtins::set_now(now);
        let started = Instant::now();
        let review = Review::parse(review)?;
        let decision = self.judge(&review, namespaces, budget, started);
        Ok(Decided { facts: review.facts, decision })
    }

    fn judge(&mut self, review: &Review, namespaces: &dyn Namespaces, budget: &Budget, started: Instant) -> Decision {
        if self.settings.namespaces.excludes(&review.facts.namespace) {
            return Decision { results: vec![] };
        }
        let matching = self.index.find(&review.facts.kind);
        let wants_namespace = matching.iter().any(|position| self.judges[*position].wants_namespace());
        let namespace = wants_namespace.then(|| self.namespaces.find(&review.facts.namespace, namespaces)).flatten();
        let subject = Subject { review, namespace: namespace.as_ref() };
        Decision { results: self.judge_in_turn(&matching, &subject, budget, started + budget.per_review) }
    }

    /// Every policy has an equal share of what is left of the review's time, so that none takes the time of another;
    /// what remains then goes to those that needed more.
    fn judge_in_turn(
        &mut self,
        matching: &[usize],
        subject: &Subject<'_>,
        budget: &Budget,
        ends: Instant,
    ) -> Vec<PolicyResult> {
        let share = |of: usize| (ends.saturating_duration_since(Instant::now()) / of as u32).min(budget.per_policy);
        let mut results = Vec::with_capacity(matching.len());
        let mut unfinished = vec![];
        for (turn, position) in matching.iter().enumerate() {
            let limit = share(matching.len() - turn);
            let (result, ran_out) = self.judge_one(*position, subject, limit);
            if ran_out && limit < budget.per_policy {
                unfinished.push((turn, limit));
            }
            results.push(result);
        }
        for (turn, (place, had)) in unfinished.iter().enumerate() {
            let limit = share(unfinished.len() - turn);
            if limit > *had {
                let before = results[*place].micros;
                results[*place] = self.judge_one(matching[*place], subject, limit).0;
                results[*place].micros += before;
            }
        }
        results
    }

    /// What one policy says, and whether the limit cut it short.
    fn judge_one(&mut self, position: usize, subject: &Subject<'_>, limit: Duration) -> (PolicyResult, bool) {
        let judge = &mut self.judges[position];
        let before = Instant::now();
        let verdict = judge.judge(subject, limit);
        let action = judge.action(&verdict, &self.settings);
        let micros = micros_since(before);
        (PolicyResult { policy: judge.info.clone(), outcome: verdict.outcome, action, micros }, verdict.ran_out)
    }
}

fn micros_since(before: Instant) -> u32 {
    u32::try_from(before.elapsed().as_micros()).unwrap_or(u32::MAX)
}
