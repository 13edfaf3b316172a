//! From what the policies found to what that does to the request, once all have spoken.

use super::PolicySet;
use super::message::cut;
use super::turns::Subjects;
use crate::action::{Because, DENY_LEVEL, NamespaceWord, Words, rule};
use crate::decision::{Decision, Outcome, PolicyInfo, PolicyResult};
use crate::engine::Value;
use crate::exemption::{Asked, Exemption};
use crate::inventory::Inventory;
use crate::lifeline::is_lifeline;
use crate::wire::MAX_MESSAGE_BYTES;
use crate::{BreakGlass, DenyLevel, ReviewFacts, Severity};

/// What one policy found.
pub(super) struct Found {
    /// The policy's position.
    pub position: usize,
    /// Whether the pod that the object implies was judged.
    pub implied: bool,
    pub outcome: Outcome,
    /// The severity of this failure where the dialect lets each have its own, else the policy's.
    pub severity: Option<Severity>,
    pub micros: u32,
}

/// What holds where the object is.
struct Place {
    namespace_level: Option<DenyLevel>,
    glass: Option<BreakGlass>,
    lifeline: bool,
}

impl PolicySet {
    /// The decision. Namespace and exemptions are looked at only when somebody objects.
    pub(super) fn rule(
        &mut self,
        found: Vec<Found>,
        subjects: &Subjects<'_>,
        inventory: &dyn Inventory,
        now: i64,
    ) -> Decision {
        let review = subjects.asked.review;
        let is_clean = found.iter().all(|found| found.outcome == Outcome::Pass);
        let team = if is_clean { NamespaceWord::default() } else { self.ask_namespace(&review.facts, inventory) };
        let groups = groups(&review.whole["request"]["userInfo"]["groups"]);
        let asked = Asked { facts: &review.facts, groups: &groups };
        let implied = subjects.implied.as_ref().map(|subject| Asked { facts: &subject.review.facts, groups: &groups });
        let place = self.place(&team, &review.facts, now);
        let results = found.into_iter().map(|found| {
            let implied = implied.filter(|_| found.implied);
            self.result(found, &place, [Some(asked), implied].into_iter().flatten(), now)
        });
        let results: Vec<PolicyResult> = results.collect();
        let notes = self.notes(&results, &place, &team, &review.facts, now);
        Decision { results, notes }
    }

    /// What holds for the object, whatever policy objects to it.
    fn place(&self, team: &NamespaceWord, facts: &ReviewFacts, now: i64) -> Place {
        let suspended = self.settings.suspensions.iter().find(|glass| glass.holds(&facts.namespace, now)).cloned();
        let own = || team.glass.opened(&facts.namespace, &self.settings.break_glass, now);
        Place {
            namespace_level: team.level,
            glass: suspended.or_else(own),
            lifeline: is_lifeline(&facts.kind, &facts.namespace, &self.settings.own_namespaces),
        }
    }

    /// What people should know beside what the policies say.
    fn notes(
        &self,
        results: &[PolicyResult],
        place: &Place,
        team: &NamespaceWord,
        facts: &ReviewFacts,
        now: i64,
    ) -> Vec<String> {
        let was = |because: Because| {
            results.iter().any(|result| result.ruling.as_ref().is_some_and(|ruling| ruling.because == because))
        };
        let lifeline = was(Because::Lifeline).then(|| {
            "this would have been refused; it goes through because the control plane and writ itself are kept usable".into()
        });
        let glass = place.glass.as_ref().filter(|_| was(Because::BreakGlass)).map(BreakGlass::told);
        let level = team.unknown.iter().map(|word| self.unknown_level(word, facts));
        let problem = team.glass.problem(&facts.namespace, &self.settings.break_glass, now);
        lifeline.into_iter().chain(glass).chain(level).chain(problem).collect()
    }

    fn result<'a>(
        &self,
        found: Found,
        place: &Place,
        mut asked: impl Iterator<Item = Asked<'a>> + Clone,
        now: i64,
    ) -> PolicyResult {
        let judge = &self.judges[found.position];
        let policy = judge.info.clone();
        let objection = judge.objection(&found.outcome, found.severity);
        let facts = asked.clone().next().map(|asked| asked.facts);
        let exemption = objection.and_then(|_| asked.find_map(|asked| self.exemption(&policy, asked, now)));
        let words = Words {
            deny_level: self.settings.deny_level,
            namespace_level: place.namespace_level,
            may_tighten: self.settings.namespaces.may_tighten,
            action: self.settings.actions.get(policy.code.as_str()).copied(),
            exempted: exemption.is_some(),
            break_glass: place.glass.is_some(),
            lifeline: place.lifeline,
        };
        let outcome = match facts.filter(|_| found.implied) {
            Some(facts) => told_of_pod(found.outcome, facts),
            None => found.outcome,
        };
        PolicyResult {
            outcome,
            ruling: objection.map(|objection| rule(objection, &words)),
            exemption: exemption.map(|exemption| exemption.name.as_str().into()),
            implied: found.implied,
            micros: found.micros,
            policy,
        }
    }

    fn exemption(&self, policy: &PolicyInfo, asked: Asked<'_>, now: i64) -> Option<&Exemption> {
        self.settings.exemptions.iter().find(|exemption| exemption.covers(policy, asked, now))
    }

    /// What the owners of the namespace say, where the platform listens to them.
    fn ask_namespace(&mut self, facts: &ReviewFacts, inventory: &dyn Inventory) -> NamespaceWord {
        let is_heard = self.settings.namespaces.may_tighten || self.settings.break_glass.allow;
        let namespace = is_heard.then(|| self.namespaces.find(&facts.namespace, inventory)).flatten();
        namespace.map_or_else(NamespaceWord::default, |namespace| NamespaceWord::of(&namespace.object))
    }

    fn unknown_level(&self, word: &str, facts: &ReviewFacts) -> String {
        let (namespace, level) = (&facts.namespace, self.settings.deny_level);
        format!(
            "the namespace {namespace} asks for deny level {word:?} ({DENY_LEVEL}), which is none of OFF, LOW, MED and HIGH: \
             {level} stays"
        )
    }
}

/// The same words, and what they are about: the developer applied no pod.
fn told_of_pod(outcome: Outcome, facts: &ReviewFacts) -> Outcome {
    let kind = facts.kind.rsplit('/').next().unwrap_or(&facts.kind);
    let what = format!(" [pod of {kind}/{}]", facts.name);
    let told = |message: &String| format!("{}{what}", cut(message, MAX_MESSAGE_BYTES.saturating_sub(what.len())));
    match outcome {
        Outcome::Pass => Outcome::Pass,
        Outcome::Fail(messages) => Outcome::Fail(messages.iter().map(told).collect()),
        Outcome::Error(reason) => Outcome::Error(told(&reason)),
    }
}

fn groups(groups: &Value) -> Vec<&str> {
    let groups = groups.as_array().map(|groups| groups.iter()).into_iter().flatten();
    groups.filter_map(|group| group.as_string().ok().map(AsRef::as_ref)).collect()
}
