//! Gatekeeper's dialect: `input` is `{review, parameters}`, the review carries `namespaceObject`, and each member of
//! `violation` has a `msg`. Denials read `[constraint-name] msg`.

use super::super::judge::{Clock, Judge, Subject, Verdict};
use super::super::message::{cut, few, kind_of};
use super::super::program::Rules;
use super::super::world::insert;
use crate::cel::{Policy, Said};
use crate::decision::Outcome;
use crate::engine::{EvalError, Value};
use crate::gatekeeper::{Constraint, Target};
use crate::wire::MAX_MESSAGE_BYTES;

/// Whether the constraint judges the subject at all.
pub(in super::super) fn matches(constraint: &Constraint, subject: &Subject<'_>) -> bool {
    let facts = &subject.review.facts;
    if constraint.enforcement.admission.is_none()
        || constraint.excluded.iter().any(|glob| glob.matches(&facts.namespace))
    {
        return false;
    }
    constraint.matcher.matches(&target(subject))
}

fn target<'a>(subject: &'a Subject<'_>) -> Target<'a> {
    let (request, facts) = (&subject.review.request, &subject.review.facts);
    let (group, kind) = facts.kind.rsplit_once('/').unwrap_or(("", &facts.kind));
    Target {
        objects: [&request["object"], &request["oldObject"]],
        group,
        kind,
        namespace: &facts.namespace,
        namespace_object: subject.namespace.map(|namespace| &namespace.object),
        implied: subject.implied,
    }
}

/// What the constraint says of the subject.
pub(in super::super) fn judge(
    judge: &Judge,
    program: &mut Rules,
    subject: &Subject<'_>,
    clock: &Clock,
) -> Result<Verdict, EvalError> {
    if let Some(problem) = problem(judge, subject) {
        return Ok(judge.error(problem));
    }
    program.set_input(input(subject, &judge.parameters));
    let found = program.eval("violation", clock.left())?;
    Ok(read(judge, &found))
}

/// Why it cannot be told whether the subject is the constraint's.
fn problem(judge: &Judge, subject: &Subject<'_>) -> Option<String> {
    judge.constraint.as_ref().and_then(|constraint| constraint.matcher.problem(&target(subject)))
}

/// What the constraint says of the subject by expressions in CEL.
pub(in super::super) fn judge_native(
    judge: &Judge,
    policy: &Policy,
    subject: &Subject<'_>,
    clock: &Clock,
) -> Result<Verdict, EvalError> {
    if let Some(problem) = problem(judge, subject) {
        return Ok(judge.error(problem));
    }
    let Some(constraint) = judge.constraint.as_ref() else {
        return Ok(judge.error("the policy is no constraint".into()));
    };
    let Some(native) = constraint.native.as_ref() else {
        return Ok(judge.error("the constraint's template has no expressions".into()));
    };
    let limit = clock.left();
    let said = native.ask(policy, subject.review.native(), subject.namespace.map(|namespace| &namespace.object), limit);
    let (failures, errors) = match said {
        Said::Judged { failures, errors } => (failures, errors),
        Said::OutOfTime => return Err(EvalError::Budget(limit)),
        Said::TooLarge => return Ok(judge.error("what its expressions make is too large".into())),
    };
    let told = |text: &String| cut(&format!("[{}] {text}", constraint.short_name()), MAX_MESSAGE_BYTES);
    match (failures.is_empty(), errors.is_empty()) {
        (true, true) => Ok(judge.pass()),
        (true, false) => Ok(judge.error(errors.join("; "))),
        (false, _) => {
            let mut messages: Vec<String> = failures.iter().map(told).collect();
            if !policy.ignores_errors() {
                messages.extend(errors.iter().map(told));
            }
            messages.sort_unstable();
            Ok(Verdict { outcome: Outcome::Fail(few(messages)), severity: None, ran_out: false })
        }
    }
}

fn input(subject: &Subject<'_>, parameters: &Value) -> Value {
    let mut review = subject.review.request.clone();
    if let Some(namespace) = subject.namespace {
        insert(&mut review, "namespaceObject", namespace.object.clone());
    }
    let mut input = Value::new_object();
    insert(&mut input, "review", review);
    insert(&mut input, "parameters", parameters.clone());
    input
}

fn read(judge: &Judge, found: &Value) -> Verdict {
    let Value::Set(found) = found else {
        return judge.error(format!("`violation` is {}, not a set", kind_of(found)));
    };
    if found.is_empty() {
        return judge.pass();
    }
    let name = judge.constraint.as_ref().map_or("", |constraint| constraint.short_name());
    let mut messages = Vec::with_capacity(found.len());
    for item in found.iter() {
        let Ok(message) = item["msg"].as_string() else {
            return judge.error("`violation` holds something that has no `msg` text".into());
        };
        messages.push(cut(&format!("[{name}] {message}"), MAX_MESSAGE_BYTES));
    }
    // Violations that differ in their details alone are told one by one, as Gatekeeper does.
    messages.sort_unstable();
    Verdict { outcome: Outcome::Fail(few(messages)), severity: None, ran_out: false }
}
