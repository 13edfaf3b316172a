//! What is said to the API server, as a pure function of the decision.

use crate::Action;
use crate::decision::Decision;
use crate::review::ReviewFacts;
use serde::Serialize;

/// The most warnings of one answer; the API server drops what is much longer.
const MOST_WARNINGS: usize = 64;
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
}

/// The AdmissionReview response as JSON: allowed or not, the messages of denials sorted and joined by `", "` with
/// status code 403, every message of a deny or warn as a warning, and the revision as an audit annotation.
pub fn answer(facts: &ReviewFacts, decision: &Decision, revision: Option<&str>) -> Vec<u8> {
    let said = messages(decision);
    let allowed = decision.is_allowed();
    let policies: Vec<&str> = decision.objections().map(|result| result.policy.code.as_str()).collect();
    let annotations = AuditAnnotations { revision, policies: policies.join(",") };
    let is_empty = annotations.revision.is_none() && annotations.policies.is_empty();
    let answer = Answer {
        api_version: &facts.api_version,
        kind: "AdmissionReview",
        response: Response {
            uid: &facts.uid,
            allowed,
            status: (!allowed).then(|| Status { code: 403, reason: "Forbidden", message: joined(&said) }),
            warnings: said.into_iter().take(MOST_WARNINGS).collect(),
            audit_annotations: (!is_empty).then_some(annotations),
        },
    };
    serde_json::to_vec(&answer).expect("an answer has only text keys")
}

/// Everything that is said aloud, sorted as plain text as MagTape does. Dryrun is recorded, not said.
fn messages(decision: &Decision) -> Vec<String> {
    let aloud = decision.results.iter().filter(|result| result.action().is_some_and(|action| action > Action::Dryrun));
    let mut messages: Vec<String> = aloud.flat_map(|result| result.messages()).collect();
    messages.sort_unstable();
    messages.dedup();
    messages
}

fn joined(messages: &[String]) -> String {
    let mut joined = messages.join(", ");
    if joined.len() > LONGEST_MESSAGE {
        joined.truncate(joined.floor_char_boundary(LONGEST_MESSAGE));
        joined.push('…');
    }
    joined
}
