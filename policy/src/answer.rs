//! What is said to the API server, as a pure function of the decision.

use crate::decision::{Decision, Dialect, PolicyResult};
use crate::review::ReviewFacts;
use crate::{Action, Because};
use serde::Serialize;

/// The longest that all warnings of one answer are together, in characters: of more than 4,096 the API server cuts each
/// and drops the last.
const LONGEST_WARNINGS: usize = 4_000;
/// The longest message of a denial, in bytes.
const LONGEST_MESSAGE: usize = 16 << 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    api_version: &'a str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations<'a>>,
}

#[derive(Serialize)]
struct Status {
    code: u16,
    reason: &'static str,
    message: String,
}

#[derive(Serialize)]
struct AuditAnnotations<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    policies: String,
    #[serde(rename = "break-glass", skip_serializing_if = "Option::is_none")]
    break_glass: Option<&'static str>,
}

/// The AdmissionReview response as JSON: allowed or not, the messages of denials with status code 403 in the form
/// of their dialects, the messages of a deny or warn as warnings, and the revision as an audit annotation.
pub fn answer(facts: &ReviewFacts, decision: &Decision, revision: Option<&str>) -> Vec<u8> {
    let allowed = decision.is_allowed();
    let policies: Vec<&str> = decision.objections().map(|result| result.policy.code.as_str()).collect();
    let is_open =
        |result: &PolicyResult| matches!(&result.ruling, Some(ruling) if ruling.because == Because::BreakGlass);
    let break_glass = decision.results.iter().any(is_open).then_some("open");
    let annotations = AuditAnnotations { revision, policies: policies.join(","), break_glass };
    let is_empty = annotations.revision.is_none() && annotations.policies.is_empty();
    let answer = Answer {
        api_version: &facts.api_version,
        kind: "AdmissionReview",
        response: Response {
            uid: &facts.uid,
            allowed,
            status: (!allowed).then(|| Status { code: 403, reason: "Forbidden", message: denial(decision) }),
            warnings: if facts.child && allowed { warnings(&unheard(facts, decision)) } else { warnings(decision) },
            audit_annotations: (!is_empty).then_some(annotations),
        },
    };
    serde_json::to_vec(&answer).expect("an answer has only text keys")
}

/// What nobody heard yet: who judges the pod that a workload implies spoke when the workload was applied.
fn unheard(facts: &ReviewFacts, decision: &Decision) -> Decision {
    let is_heard = |result: &&PolicyResult| result.policy.expand && (result.implied || facts.kind == "Pod");
    let unheard = decision.objections().filter(|result| !is_heard(result)).cloned();
    Decision { results: unheard.collect(), notes: vec![] }
}

/// What policies of MagTape's and Writ's dialect say aloud, sorted as plain text as MagTape does. Dryrun is recorded, not
/// said.
fn sentences(decision: &Decision) -> Vec<String> {
    let mut messages: Vec<String> = aloud(decision, Action::Warn)
        .filter(|result| !is_constraint(result))
        .flat_map(PolicyResult::messages)
        .collect();
    messages.sort_unstable();
    messages.dedup();
    messages
}

/// What constraints with this action say, in the order of their names.
fn lines(decision: &Decision, action: Action) -> impl Iterator<Item = String> {
    let with_action = aloud(decision, action).filter(move |result| result.action() == Some(action));
    with_action.filter(|result| is_constraint(result)).flat_map(PolicyResult::messages)
}

fn aloud(decision: &Decision, least: Action) -> impl Iterator<Item = &PolicyResult> {
    decision.results.iter().filter(move |result| result.action().is_some_and(|action| action >= least))
}

fn is_constraint(result: &PolicyResult) -> bool {
    result.policy.dialect == Dialect::Gatekeeper
}

/// Each dialect's own form: the sentences of policies joined by `", "` in one line, then one line per message of a
/// constraint, as Gatekeeper joins them.
fn denial(decision: &Decision) -> String {
    let is_denied_by_policy = aloud(decision, Action::Deny).any(|result| !is_constraint(result));
    let sentences = is_denied_by_policy.then(|| sentences(decision).join(", "));
    let lines: Vec<String> = sentences.into_iter().chain(lines(decision, Action::Deny)).collect();
    bounded(lines.join("\n"))
}

/// MagTape warns of everything that it says; Gatekeeper of what only warns.
fn warnings(decision: &Decision) -> Vec<String> {
    let notes = decision.notes.iter().cloned();
    let said: Vec<String> = notes.chain(sentences(decision)).chain(lines(decision, Action::Warn)).collect();
    let mut room = LONGEST_WARNINGS;
    let fits = |text: &&String| {
        let length = text.chars().count();
        let fits = length <= room;
        room = room.saturating_sub(if fits { length } else { room });
        fits
    };
    let mut told: Vec<String> = said.iter().take_while(fits).cloned().collect();
    let left = said.len() - told.len();
    if left > 0 {
        told.push(format!("and {left} more; the dashboard shows them"));
    }
    told
}

fn bounded(mut joined: String) -> String {
    if joined.len() > LONGEST_MESSAGE {
        joined.truncate(joined.floor_char_boundary(LONGEST_MESSAGE));
        joined.push('…');
    }
    joined
}
