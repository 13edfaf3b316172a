//! How a policy of each dialect is asked, and what its answer means. One file per dialect.

pub(super) mod gatekeeper;
pub(super) mod magtape;
pub(super) mod writ;

use super::judge::{Judge, Verdict};
use super::message::{bound, kind_of, sentence};
use crate::Severity;
use crate::decision::Outcome;
use crate::engine::Value;

/// A verdict from the members of `deny`: each has a sentence, which `worded` makes a message of, and perhaps a severity
/// of its own.
fn read_deny(
    judge: &Judge,
    found: &Value,
    worded: impl Fn(&str) -> String,
    severity: impl Fn(&Value) -> Option<Severity>,
) -> Verdict {
    let Value::Set(found) = found else {
        return judge.error(format!("`deny` is {}, not a set", kind_of(found)));
    };
    if found.is_empty() {
        return judge.pass();
    }
    let mut messages = Vec::with_capacity(found.len());
    let mut worst = None;
    for item in found.iter() {
        let Some(sentence) = sentence(item) else {
            return judge.error("`deny` holds something that has no `msg` text".into());
        };
        messages.push(worded(sentence));
        worst = worst.max(severity(item));
    }
    Verdict { outcome: Outcome::Fail(bound(messages)), severity: worst, ran_out: false }
}
