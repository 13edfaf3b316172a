//! The policies of one bundle, compiled, with the settings of one cluster. One per evaluation thread: it is neither
//! shared nor sent while in use, because sharing the engine's reference counts between threads costs more than it gives.

pub(crate) mod compile;
mod dialect;
mod index;
mod judge;
mod judging;
mod message;
mod namespaces;
pub(crate) mod program;
mod resting;
mod rulings;
mod targets;
mod turns;
mod world;

use crate::check::{CheckReport, CheckedPolicy, check_and_compile};
use crate::decision::{Decision, PolicyInfo};
use crate::engine::Value;
use crate::inventory::Inventory;
use crate::review::parse::Review;
use crate::review::{ReviewError, ReviewFacts};
use crate::{PolicyCode, Settings, SourceFile, expansion};
use compile::{Compiled, CompiledPolicy, Known, Made, Origin};
use index::Index;
use judge::{Judge, Subject};
pub use judging::Judging;
pub(crate) use message::MOST_MESSAGES;
use namespaces::NamespaceCache;
use program::Program;
use rulings::Found;
use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub use targets::Target;
use turns::{Subjects, Turn};
use world::{World, WorldCache};

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
    /// The next set of the same thread keeps those that did not change.
    programs: Vec<Rc<RefCell<Program>>>,
    /// What each was made of.
    origins: Vec<Origin>,
    judges: Vec<Judge>,
    index: Index,
    settings: Settings,
    namespaces: NamespaceCache,
    world: WorldCache,
    suspended: BTreeMap<PolicyCode, String>,
    /// What was stopped on this review, and the time from which on that is a policy's own fault.
    overran: Vec<PolicyCode>,
    fair: Duration,
    judging: Judging,
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
    /// Compiles the files of a bundle for a cluster with these settings. Policies that the settings
    /// turn off are listed in the report and not compiled. Files that do not load are errors of the
    /// report, and the caller decides whether the rest may be enforced (the agent refuses the bundle).
    pub fn load(files: &[SourceFile], settings: &Settings) -> (Self, CheckReport) {
        let deciding: Vec<SourceFile> = files.iter().filter(|file| !file.is_test()).cloned().collect();
        Self::compile(&deciding, &[], settings, &[])
    }

    /// The same of files that passed a check as they are, quicker: what did not change is taken over from the set that the
    /// thread has, and policies that the settings turn off are neither read nor listed. The report tells only what is
    /// wrong with the rest.
    pub fn load_after(&self, files: &[SourceFile], settings: &Settings) -> (Self, CheckReport) {
        let resting::Parted { deciding, resting } = resting::part(files, settings);
        let made: Vec<_> = self.origins.iter().zip(&self.programs).collect();
        Self::compile(&deciding, &resting, settings, &made)
    }

    /// `made` are programs that need not be made again, with what they were made of.
    fn compile(
        deciding: &[SourceFile],
        resting: &[CheckedPolicy],
        settings: &Settings,
        made: &[(&Origin, &Rc<RefCell<Program>>)],
    ) -> (Self, CheckReport) {
        let known: Known = made.iter().map(|(origin, _)| (origin.digest, (*origin).clone())).collect();
        let (report, Compiled { programs, policies: compiled }) =
            check_and_compile(deciding, &|policy| settings.enables(policy), resting, &known);
        let (origins, programs) = programs.into_iter().map(|program| ready(program, made)).unzip();
        let judges: Vec<Judge> = compiled.into_iter().filter_map(|policy| judge(policy, settings)).collect();
        let index = Index::build(judges.iter().map(|judge| judge.info.as_ref()));
        let policies: Vec<Arc<PolicyInfo>> = judges.iter().map(|judge| judge.info.clone()).collect();
        let this = Self {
            judging: Judging::new(&policies),
            policies,
            programs,
            origins,
            judges,
            index,
            settings: settings.clone(),
            namespaces: NamespaceCache::default(),
            world: WorldCache::default(),
            suspended: BTreeMap::new(),
            overran: vec![],
            fair: Duration::ZERO,
        };
        (this, report)
    }

    fn program(&self, position: usize) -> RefMut<'_, Program> {
        self.programs[position].borrow_mut()
    }

    /// The same policies, decided by the interpreter alone, for who wants to hold both ways against each other.
    #[must_use]
    pub fn interpreted(self) -> Self {
        self.programs.iter().for_each(|program| program.borrow_mut().interpret_only());
        self
    }

    /// The policies that the interpreter alone decides, because they have no plan or it once said something else.
    pub fn slow(&self) -> Vec<&PolicyCode> {
        let slow = self.judges.iter().filter(|judge| self.program(judge.program).is_interpreted());
        slow.map(|judge| &judge.info.code).collect()
    }

    /// Tells another thread who judges.
    pub fn judging(&self) -> Judging {
        self.judging.clone()
    }

    /// The policies that judge, sorted by code.
    pub fn policies(&self) -> &[Arc<PolicyInfo>] {
        &self.policies
    }

    /// Whether the policy's author passes what cannot be evaluated (`failurePolicy: Ignore`).
    pub(crate) fn ignores_errors(&self, policy: &PolicyInfo) -> bool {
        self.judges.iter().any(|judge| judge.info.code == policy.code && judge.ignores_errors())
    }

    /// From now on these policies are not evaluated: each review has the reason as their error.
    pub fn suspend(&mut self, policies: BTreeMap<PolicyCode, String>) {
        self.suspended = policies;
    }

    /// The policies that were stopped on the last review though they had a quarter of what a policy may take: less
    /// says that the review had little time left, not that the policy is slow.
    pub fn overran(&self) -> &[PolicyCode] {
        &self.overran
    }

    /// Judges one AdmissionReview by all policies whose kinds match. `now` is Unix milliseconds, and what
    /// policies see as `time.now_ns`.
    pub fn decide(
        &mut self,
        review: &[u8],
        inventory: &dyn Inventory,
        budget: &Budget,
        now: i64,
    ) -> Result<Decided, ReviewError> {
        crate::engine::builtins::set_now(now);
        let started = Instant::now();
        let mut review = Review::parse(review)?;
        review.facts.child = self.settings.expand && expansion::is_child(&review);
        let decision = self.judge(&review, inventory, budget, started, now);
        Ok(Decided { facts: review.facts, decision })
    }

    fn judge(
        &mut self,
        review: &Review,
        inventory: &dyn Inventory,
        budget: &Budget,
        started: Instant,
        now: i64,
    ) -> Decision {
        self.overran.clear();
        self.fair = budget.per_policy / 4;
        if self.settings.namespaces.excludes(&review.facts.namespace) {
            return Decision::default();
        }
        let mut turns = self.turns(review);
        // Made once for all policies that ask for it, and not at all when none does.
        let implied = turns.iter().any(|turn| turn.implied).then(|| expansion::implied(review)).flatten();
        let wants_namespace = turns.iter().any(|turn| {
            let judge = &self.judges[turn.position];
            judge.wants_namespace() || self.program(judge.program).wants_namespace()
        });
        let namespace = wants_namespace.then(|| self.namespaces.find(&review.facts.namespace, inventory)).flatten();
        let namespace = namespace.as_ref();
        let subjects = Subjects {
            asked: Subject { review, namespace, implied: false },
            implied: implied.as_ref().map(|review| Subject { review, namespace, implied: true }),
        };
        turns.retain(|turn| subjects.of(*turn).is_some_and(|subject| self.judges[turn.position].selects(subject)));
        // Teams' own policies have what time the platform's left.
        let (own, teams): (Vec<Turn>, Vec<Turn>) =
            turns.into_iter().partition(|turn| self.judges[turn.position].info.namespaces.is_empty());
        let ends = started + budget.per_review;
        let mut found = self.judge_in_turn(&own, &subjects, inventory, budget, ends);
        found.extend(self.judge_in_turn(&teams, &subjects, inventory, budget, ends));
        found.sort_unstable_by_key(|found| found.position);
        self.rule(found, &subjects, inventory, now)
    }

    /// Every policy has an equal share of what is left of the review's time, so that none takes the time of another;
    /// what remains then goes to those that needed more.
    fn judge_in_turn(
        &mut self,
        turns: &[Turn],
        subjects: &Subjects<'_>,
        inventory: &dyn Inventory,
        budget: &Budget,
        ends: Instant,
    ) -> Vec<Found> {
        let share = |of: usize| (ends.saturating_duration_since(Instant::now()) / of as u32).min(budget.per_policy);
        let mut found = Vec::with_capacity(turns.len());
        let mut unfinished = vec![];
        for (place, turn) in turns.iter().enumerate() {
            let Some(subject) = subjects.of(*turn) else { continue };
            let limit = share(turns.len() - place);
            let (one, ran_out) = self.judge_one(turn.position, subject, inventory, limit);
            if ran_out && limit < budget.per_policy {
                unfinished.push((found.len(), subject, limit));
            }
            found.push(one);
        }
        for (turn, (place, subject, had)) in unfinished.iter().enumerate() {
            let limit = share(unfinished.len() - turn);
            if limit > *had {
                let before = found[*place].micros;
                found[*place] = self.judge_one(found[*place].position, subject, inventory, limit).0;
                found[*place].micros += before;
            }
        }
        found
    }

    /// What one policy says, and whether the limit cut it short.
    fn judge_one(
        &mut self,
        position: usize,
        subject: &Subject<'_>,
        inventory: &dyn Inventory,
        limit: Duration,
    ) -> (Found, bool) {
        let judge = &self.judges[position];
        let before = Instant::now();
        let mut world = World::new(inventory, &mut self.world);
        self.judging.begins(position);
        let verdict = match self.suspended.get(&judge.info.code) {
            Some(reason) => judge.error(reason.clone()),
            None => judge.judge(&mut self.programs[judge.program].borrow_mut(), subject, &mut world, limit),
        };
        self.judging.ends();
        self.overran.retain(|policy| *policy != judge.info.code);
        if verdict.ran_out && limit >= self.fair {
            self.overran.push(judge.info.code.clone());
        }
        let (implied, micros) = (subject.implied, micros_since(before));
        (Found { position, implied, outcome: verdict.outcome, severity: verdict.severity, micros }, verdict.ran_out)
    }
}

/// The program with a quicker way to what it says, or the known one, which has looked for it.
fn ready(made: Made, known: &[(&Origin, &Rc<RefCell<Program>>)]) -> (Origin, Rc<RefCell<Program>>) {
    let Made { origin, program } = made;
    let program = match program {
        Some(mut program) => {
            program.quicken();
            Rc::new(RefCell::new(program))
        }
        None => {
            let same = known.iter().find(|(known, _)| known.digest == origin.digest);
            same.map(|(_, program)| (*program).clone()).expect("a program is left out only when it is known")
        }
    };
    (origin, program)
}

/// A compiled policy with what the cluster's settings say of it; `None` when it is not to judge.
fn judge(policy: CompiledPolicy, settings: &Settings) -> Option<Judge> {
    let program = policy.program?;
    let mut parameters = policy.parameters;
    if let Some(overrides) = settings.parameters.get(policy.info.code.as_str()) {
        parameters.extend(overrides.clone());
    }
    let parameters = Value::from(serde_json::Value::Object(parameters));
    Some(Judge { info: policy.info, program, parameters, constraint: policy.constraint })
}

fn micros_since(before: Instant) -> u32 {
    u32::try_from(before.elapsed().as_micros()).unwrap_or(u32::MAX)
}
