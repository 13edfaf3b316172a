//! Writ's dialect: `input` is `{review, parameters, namespaceObject}`, `deny` a set of sentences.

use super::super::judge::{Clock, Judge, Subject, Verdict};
use super::super::message::cut;
use super::super::program::Rules;
use super::super::world::insert;
use super::read_deny;
use crate::engine::{EvalError, Value};
use crate::wire::MAX_MESSAGE_BYTES;

/// What the policy says of the subject.
pub(in super::super) fn judge(
    judge: &Judge,
    program: &mut Rules,
    subject: &Subject<'_>,
    clock: &Clock,
) -> Result<Verdict, EvalError> {
    program.set_input(input(subject, &judge.parameters));
    let found = program.eval("deny", clock.left())?;
    Ok(read_deny(judge, &found, |sentence| worded(judge, sentence), |_| judge.info.severity))
}

/// The request, the parameters and the Namespace object.
fn input(subject: &Subject<'_>, parameters: &Value) -> Value {
    let mut input = Value::new_object();
    insert(&mut input, "review", subject.review.request.clone());
    insert(&mut input, "parameters", parameters.clone());
    if let Some(namespace) = subject.namespace {
        insert(&mut input, "namespaceObject", namespace.object.clone());
    }
    input
}

/// The message as the developer reads it: the policy gives only the sentence.
fn worded(judge: &Judge, sentence: &str) -> String {
    let severity = judge.info.severity.map(|severity| severity.as_str()).unwrap_or_default();
    let (head, tail) = (format!("[FAIL] {severity} - "), format!(" ({})", judge.info.code));
    let room = MAX_MESSAGE_BYTES.saturating_sub(head.len() + tail.len());
    head + &cut(sentence.trim(), room) + &tail
}
