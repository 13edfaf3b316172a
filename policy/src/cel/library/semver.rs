//! Versions: `semver("1.2.3")`, compared as semver.org says.

use super::{Answer, Arguments, at, kind, opaque, text_at};
use crate::cel::environment::{function, method};
use crate::cel::equality::truth;
use crate::cel::fault::failed;
use ::semver::Version;
use cel::common::types::{BOOL_TYPE, CelBool, CelInt, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};
use std::cmp::Ordering;

#[derive(Debug, Clone)]
struct Semver(Version);

opaque!(Semver, "kubernetes.Semver", |one, other| one.0.cmp_precedence(&other.0) == Ordering::Equal);

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    for arguments in [vec![STRING_TYPE], vec![STRING_TYPE, BOOL_TYPE]] {
        function(env, "semver", arguments.iter().map(ToOwned::to_owned).collect(), |arguments| {
            Ok(CowVal::owned(read(&arguments)?))
        })?;
        function(env, "isSemver", arguments, |arguments| Ok(truth(read(&arguments).is_ok())))?;
    }
    let own = kind::<Semver>;
    method(env, "major", own(), vec![], |arguments| number(at::<Semver>(&arguments, 0)?.0.major))?;
    method(env, "minor", own(), vec![], |arguments| number(at::<Semver>(&arguments, 0)?.0.minor))?;
    method(env, "patch", own(), vec![], |arguments| number(at::<Semver>(&arguments, 0)?.0.patch))?;
    method(env, "isGreaterThan", own(), vec![own()], |arguments| Ok(truth(order(&arguments)? == Ordering::Greater)))?;
    method(env, "isLessThan", own(), vec![own()], |arguments| Ok(truth(order(&arguments)? == Ordering::Less)))?;
    method(env, "compareTo", own(), vec![own()], |arguments| Ok(CowVal::owned(CelInt::from(order(&arguments)? as i64))))
}

fn number<'b, 'v>(number: u64) -> Answer<'b, 'v> {
    let number = i64::try_from(number).map_err(|_| failed("semver", "the number is too large"))?;
    Ok(CowVal::owned(CelInt::from(number)))
}

fn order(arguments: &Arguments<'_, '_>) -> Result<Ordering, ExecutionError> {
    Ok(at::<Semver>(arguments, 0)?.0.cmp_precedence(&at::<Semver>(arguments, 1)?.0))
}

fn read(arguments: &Arguments<'_, '_>) -> Result<Semver, ExecutionError> {
    let text = text_at(arguments, 0)?;
    let is_lenient = arguments.get(1).and_then(|lenient| lenient.downcast_ref::<CelBool>());
    let text = if is_lenient.is_some_and(|lenient| *lenient.inner()) { normal(text) } else { text.to_owned() };
    Version::parse(&text).map(Semver).map_err(|_| failed("semver", "it is no version such as 1.2.3"))
}

/// `v1.02` as `1.2.0`.
fn normal(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut numbers: Vec<&str> = numbers.split('.').map(without_zeros).collect();
    numbers.resize(numbers.len().max(3), "0");
    numbers.join(".") + rest
}

fn without_zeros(number: &str) -> &str {
    let stripped = number.trim_start_matches('0');
    if stripped.is_empty() && !number.is_empty() { "0" } else { stripped }
}
