//! MagTape's dialect: `input` is the whole AdmissionReview, `matches` says whether a policy counts, and each member of
//! `deny` carries a message as it is written and a severity of its own.

use super::super::judge::{Clock, Judge, Subject, Verdict};
use super::super::message::{cut, kind_of};
use super::super::program::Rules;
use super::read_deny;
use crate::Severity;
use crate::engine::{EvalError, Value};
use crate::wire::MAX_MESSAGE_BYTES;

/// What the policy says of the subject.
pub(in super::super) fn judge(
    judge: &Judge,
    program: &mut Rules,
    subject: &Subject<'_>,
    clock: &Clock,
) -> Result<Verdict, EvalError> {
    program.set_input(subject.review.whole.clone());
    match program.eval("matches", clock.left())? {
        Value::Bool(true) => {}
        Value::Undefined | Value::Bool(false) => return Ok(judge.pass()),
        other => return Ok(judge.error(format!("`matches` is {}, not true or false", kind_of(&other)))),
    }
    let found = program.eval("deny", clock.left())?;
    let worded = |sentence: &str| cut(sentence, MAX_MESSAGE_BYTES);
    Ok(read_deny(judge, &found, worded, |item| severity(item).or(judge.info.severity)))
}

/// The item's own severity.
fn severity(item: &Value) -> Option<Severity> {
    item["severity"].as_string().ok()?.parse().ok()
}
