//! Builtins of the engine whose results can be made to take all memory, or that panic. The engine's own are called
//! only when the result stays within bounds; beyond them the policy errs.

use super::answer::{Fault, MAX_ITEMS, MAX_TEXT, integer, text, texts, within};
use super::{Answer, Own, render};
use regorus::Value;
use regorus::unstable::{BUILTINS as NATIVE, Expr, Ref, Span};

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "array.concat", arity: 2, call: array_concat },
    Own { name: "bits.lsh", arity: 2, call: shift_left },
    Own { name: "concat", arity: 2, call: concat },
    Own { name: "json.marshal", arity: 1, call: |given| marshal("json.marshal", given) },
    Own { name: "json.marshal_with_options", arity: 2, call: |given| marshal("json.marshal_with_options", given) },
    Own { name: "numbers.range", arity: 2, call: range },
    Own { name: "numbers.range_step", arity: 3, call: range_step },
    Own { name: "replace", arity: 3, call: replace },
    Own { name: "strings.replace_n", arity: 2, call: replace_many },
    Own { name: "walk", arity: 1, call: walk },
    Own { name: "yaml.marshal", arity: 1, call: |given| marshal("yaml.marshal", given) },
];

/// The furthest that a number may be shifted.
const MAX_SHIFT: i64 = 4_096;

/// The most parts of a value that is walked; an object of the API server's largest size has fewer.
const MAX_PARTS: usize = 500_000;

/// The engine's own builtin. Its errors are undefined, as OPA's are.
pub(super) fn native(name: &str, arguments: &[Value]) -> Answer {
    let (call, _) = NATIVE.get(name).expect("the table above names builtins of the engine");
    // The engine wants the place of the call for its errors, which nobody reads.
    let source = regorus::Source::from_contents(name.to_owned(), "x".to_owned()).map_err(|_| Fault::Undefined)?;
    let span = Span { source, line: 1, col: 1, start: 0, end: 1 };
    let place = Ref::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
    call(&span, &vec![place; arguments.len()], arguments, false).map_err(|_| Fault::Undefined)
}

fn array_concat(arguments: &[Value]) -> Answer {
    match (&arguments[0], &arguments[1]) {
        (Value::Array(left), Value::Array(right)) => {
            within(left.len() + right.len(), MAX_ITEMS, "items")?;
            Ok(Value::from(left.iter().chain(right.iter()).cloned().collect::<Vec<_>>()))
        }
        _ => Err(Fault::Undefined),
    }
}

fn shift_left(arguments: &[Value]) -> Answer {
    let by = integer(arguments, 1)?;
    if by > MAX_SHIFT {
        return Err(Fault::Refused(format!("a shift by {by} bits, more than {MAX_SHIFT}")));
    }
    native("bits.lsh", arguments)
}

fn concat(arguments: &[Value]) -> Answer {
    let (delimiter, parts) = (text(arguments, 0)?, texts(arguments, 1)?);
    let between = delimiter.len().saturating_mul(parts.len().saturating_sub(1));
    within(parts.iter().map(|part| part.len()).sum::<usize>().saturating_add(between), MAX_TEXT, "bytes")?;
    Ok(Value::from(parts.join(delimiter)))
}

fn marshal(name: &str, arguments: &[Value]) -> Answer {
    // A value may share its parts; written out, each is written each time.
    render::measure(&arguments[0], MAX_TEXT)?;
    let marshalled = native(name, arguments)?;
    Ok(if name == "yaml.marshal" { marshalled } else { Value::from(html_escaped(text(&[marshalled], 0)?)) })
}

/// JSON as Go writes it: safe within a page.
fn html_escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped += &format!("\\u{:04x}", u32::from(character)),
            plain => escaped.push(plain),
        }
    }
    escaped
}

fn walk(arguments: &[Value]) -> Answer {
    // A value may share its parts; each is visited each time.
    count_parts(&arguments[0], &mut 0)?;
    native("walk", arguments)
}

pub(super) fn count_parts(value: &Value, count: &mut usize) -> Result<(), Fault> {
    *count += 1;
    within(*count, MAX_PARTS, "parts")?;
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| count_parts(item, count)),
        Value::Set(items) => items.iter().try_for_each(|item| count_parts(item, count)),
        Value::Object(fields) => fields.iter_sorted().try_for_each(|(_, value)| count_parts(value, count)),
        _ => Ok(()),
    }
}

fn range(arguments: &[Value]) -> Answer {
    let (from, to) = (integer(arguments, 0)?, integer(arguments, 1)?);
    steps(from, to, 1)
}

fn range_step(arguments: &[Value]) -> Answer {
    let (from, to, step) = (integer(arguments, 0)?, integer(arguments, 1)?, integer(arguments, 2)?);
    if step < 1 { Err(Fault::Undefined) } else { steps(from, to, step) }
}

fn steps(from: i64, to: i64, step: i64) -> Answer {
    let count = (from.abs_diff(to) / step.unsigned_abs()).saturating_add(1);
    within(usize::try_from(count).unwrap_or(usize::MAX), MAX_ITEMS, "items")?;
    let step = if from <= to { step } else { -step };
    Ok(Value::from((0..count as i64).map(|at| Value::from(from + at * step)).collect::<Vec<_>>()))
}

fn replace(arguments: &[Value]) -> Answer {
    let (whole, old, new) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let added = whole.matches(old).count().saturating_mul(new.len());
    within(whole.len().saturating_add(added), MAX_TEXT.max(whole.len()), "bytes")?;
    Ok(Value::from(whole.replace(old, new)))
}

/// One pass from left to right; at each place the first of the sorted patterns that matches.
fn replace_many(arguments: &[Value]) -> Answer {
    let Some(Value::Object(patterns)) = arguments.first() else { return Err(Fault::Undefined) };
    let mut pairs = vec![];
    for (old, new) in patterns.iter_sorted() {
        match (old, new) {
            (Value::String(old), Value::String(new)) if !old.is_empty() => pairs.push((&**old, &**new)),
            _ => return Err(Fault::Undefined),
        }
    }
    let whole = text(arguments, 1)?;
    let (mut out, mut at) = (String::new(), 0);
    while let Some(next) = whole[at..].chars().next() {
        match pairs.iter().find(|(old, _)| whole[at..].starts_with(old)) {
            Some((old, new)) => {
                out.push_str(new);
                at += old.len();
            }
            None => {
                out.push(next);
                at += next.len_utf8();
            }
        }
        within(out.len(), MAX_TEXT, "bytes")?;
    }
    Ok(Value::from(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(answer: Answer) -> bool {
        matches!(answer, Err(Fault::Refused(_)))
    }

    #[test]
    fn results_beyond_the_bounds_are_the_policys_error() {
        let long = Value::from("x".repeat(MAX_TEXT / 2 + 1));
        assert!(refused(range(&[Value::from(1_i64), Value::from(40_000_000_i64)])));
        assert!(refused(range(&[Value::from(i64::MIN), Value::from(i64::MAX)])));
        assert!(refused(concat(&[Value::from(""), Value::from(vec![long.clone(), long.clone()])])));
        assert!(refused(replace(&[long, Value::from("x"), Value::from("xxx")])));
        assert!(refused(shift_left(&[Value::from(1_i64), Value::from(1_i64 << 40)])));
        let mut shared = Value::from(vec![Value::from("leaf")]);
        for _ in 0..60 {
            shared = Value::from(vec![shared.clone(), shared]);
        }
        assert!(refused(marshal("json.marshal", &[shared.clone()])));
        assert!(refused(walk(&[shared])));
    }

    #[test]
    fn results_within_them_are_the_engines() {
        let json = |answer: Answer| answer.unwrap().to_string();
        assert_eq!(json(range(&[Value::from(3_i64), Value::from(1_i64)])), "[3,2,1]");
        let by_two = [1_i64, 6, 2].map(Value::from);
        assert_eq!(json(range_step(&by_two)), "[1,3,5]");
        assert_eq!(range_step(&[1_i64, 6, 0].map(Value::from)), Err(Fault::Undefined));
        assert_eq!(json(marshal("json.marshal", &[Value::from(vec![Value::Null])])), "\"[null]\"");
        assert_eq!(json(walk(&[Value::from(vec![Value::Null])])), "[[[],[null]],[[0],null]]");
        let pairs = Value::from_json_str(r#"{"<": "&lt;", "a": "b", "b": "a"}"#).unwrap();
        assert_eq!(json(replace_many(&[pairs, Value::from("<abé")])), "\"&lt;baé\"");
    }
}
