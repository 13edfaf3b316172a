//! Quantities of resources: `quantity("1.5Gi")`, as Kubernetes reads them.

use super::{Answer, Arguments, at, kind, opaque, text_at};
use crate::cel::environment::{function, method};
use crate::cel::equality::truth;
use crate::cel::fault::failed;
use cel::common::types::{CelDouble, CelInt, INT_TYPE, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};
use std::cmp::Ordering;

/// An amount in billionths, which is as fine as Kubernetes counts.
#[derive(Debug, Clone, PartialEq)]
struct Quantity(i128);

opaque!(Quantity, "kubernetes.Quantity", |one, other| one == other);

const ONE: i128 = 1_000_000_000;

const SUFFIXES: [(&str, i128, i128); 16] = [
    ("n", 1, ONE),
    ("u", 1, 1_000_000),
    ("m", 1, 1_000),
    ("", 1, 1),
    ("k", 1_000, 1),
    ("M", 1_000_000, 1),
    ("G", 1_000_000_000, 1),
    ("T", 1_000_000_000_000, 1),
    ("P", 1_000_000_000_000_000, 1),
    ("E", 1_000_000_000_000_000_000, 1),
    ("Ki", 1 << 10, 1),
    ("Mi", 1 << 20, 1),
    ("Gi", 1 << 30, 1),
    ("Ti", 1 << 40, 1),
    ("Pi", 1 << 50, 1),
    ("Ei", 1 << 60, 1),
];

/// The most digits that are read; more are no amount of anything.
const MOST_DIGITS: usize = 19;

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    function(env, "quantity", vec![STRING_TYPE], |arguments| Ok(CowVal::owned(read(text_at(&arguments, 0)?)?)))?;
    function(env, "isQuantity", vec![STRING_TYPE], |arguments| Ok(truth(read(text_at(&arguments, 0)?).is_ok())))?;
    let own = kind::<Quantity>;
    method(env, "sign", own(), vec![], |arguments| whole(at::<Quantity>(&arguments, 0)?.0.signum() as i64))?;
    method(env, "isInteger", own(), vec![], |arguments| Ok(truth(integer(&arguments).is_ok())))?;
    method(env, "asInteger", own(), vec![], |arguments| whole(integer(&arguments)?))?;
    method(env, "asApproximateFloat", own(), vec![], |arguments| {
        Ok(CowVal::owned(CelDouble::from(at::<Quantity>(&arguments, 0)?.0 as f64 / ONE as f64)))
    })?;
    method(env, "isGreaterThan", own(), vec![own()], |arguments| Ok(truth(order(&arguments)? == Ordering::Greater)))?;
    method(env, "isLessThan", own(), vec![own()], |arguments| Ok(truth(order(&arguments)? == Ordering::Less)))?;
    method(env, "compareTo", own(), vec![own()], |arguments| whole(order(&arguments)? as i64))?;
    for other in [own(), INT_TYPE] {
        method(env, "add", own(), vec![other.to_owned()], |arguments| combine(&arguments, i128::checked_add))?;
        method(env, "sub", own(), vec![other], |arguments| combine(&arguments, i128::checked_sub))?;
    }
    Ok(())
}

fn whole<'b, 'v>(number: i64) -> Answer<'b, 'v> {
    Ok(CowVal::owned(CelInt::from(number)))
}

fn order(arguments: &Arguments<'_, '_>) -> Result<Ordering, ExecutionError> {
    Ok(at::<Quantity>(arguments, 0)?.0.cmp(&at::<Quantity>(arguments, 1)?.0))
}

fn integer(arguments: &Arguments<'_, '_>) -> Result<i64, ExecutionError> {
    let amount = at::<Quantity>(arguments, 0)?.0;
    let whole = (amount % ONE == 0).then(|| i64::try_from(amount / ONE).ok()).flatten();
    whole.ok_or_else(|| failed("asInteger", "the quantity is no whole number of 64 bits"))
}

fn combine<'b, 'v>(arguments: &Arguments<'b, 'v>, combine: fn(i128, i128) -> Option<i128>) -> Answer<'b, 'v> {
    let one = at::<Quantity>(arguments, 0)?.0;
    let other = match at::<CelInt>(arguments, 1) {
        Ok(number) => i128::from(*number.inner()) * ONE,
        Err(_) => at::<Quantity>(arguments, 1)?.0,
    };
    let amount = combine(one, other).ok_or_else(|| failed("quantity", "the amount is too large"))?;
    Ok(CowVal::owned(Quantity(amount)))
}

fn read(text: &str) -> Result<Quantity, ExecutionError> {
    parse(text).map(Quantity).ok_or_else(|| failed("quantity", "it is no quantity such as 100m, 1.5Gi or 2e3"))
}

fn parse(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (before, after) = number.split_once('.').unwrap_or((number, ""));
    if before.len() + after.len() == 0 || after.contains('.') || before.len() > MOST_DIGITS {
        return None;
    }
    let digits: i128 = format!("{before}{}", &after[..after.len().min(MOST_DIGITS)]).parse().ok()?;
    let (times, parts) = factor(suffix)?;
    let parts = parts.checked_mul(10_i128.pow(after.len().min(MOST_DIGITS) as u32))?;
    let amount = digits.checked_mul(times)?.checked_mul(ONE)?;
    // What is finer than can be counted is rounded up.
    let amount = amount / parts + i128::from(amount % parts != 0);
    Some(if text.starts_with('-') { -amount } else { amount })
}

/// What a suffix multiplies with, and divides by.
fn factor(suffix: &str) -> Option<(i128, i128)> {
    if let Some((_, times, parts)) = SUFFIXES.iter().find(|(known, ..)| *known == suffix) {
        return Some((*times, *parts));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs()).filter(|_| exponent.abs() <= 18)?;
    Some(if exponent < 0 { (1, power) } else { (power, 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        for (text, billionths) in [
            ("1", ONE),
            ("-2", -2 * ONE),
            ("100m", ONE / 10),
            ("1.5Gi", 1_610_612_736 * ONE),
            ("2e3", 2000 * ONE),
            ("2E", 2_000_000_000_000_000_000 * ONE),
            ("5E-1", ONE / 2),
            (".5", ONE / 2),
            ("1.", ONE),
            ("1n", 1),
            ("0.1n", 1),
        ] {
            assert_eq!(parse(text), Some(billionths), "{text}");
        }
        for text in ["", "m", "1 Gi", "1gi", "1K", "1..2", "--1", "1e", "1e+", "1x", "Inf"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
