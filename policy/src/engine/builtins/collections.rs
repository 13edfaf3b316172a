//! Builtins of arrays, texts and JSON that the engine lacks, or answers otherwise than OPA.

use super::answer::{Fault, MAX_ITEMS, text, within};
use super::bounded::native;
use super::{Answer, Own};
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "array.flatten", arity: 1, call: flatten },
    Own { name: "base64.encode", arity: 1, call: |given| native("base64.encode", given) },
    Own { name: "hex.encode", arity: 1, call: |given| native("hex.encode", given) },
    Own { name: "json.is_valid", arity: 1, call: is_json },
    Own { name: "json.patch", arity: 2, call: patch },
    Own { name: "opa.runtime", arity: 0, call: |_| Ok(Value::new_object()) },
    Own { name: "strings.count", arity: 2, call: count },
];

/// The most copies in one patch.
const MAX_COPIES: usize = 8;

/// The items of inner arrays among the others, one level deep.
fn flatten(arguments: &[Value]) -> Answer {
    let Value::Array(items) = &arguments[0] else { return Err(Fault::Undefined) };
    let mut flat = vec![];
    for item in items.iter() {
        match item {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
        within(flat.len(), MAX_ITEMS, "items")?;
    }
    Ok(Value::from(flat))
}

/// What is no text is no JSON, which is an answer.
fn is_json(arguments: &[Value]) -> Answer {
    let text = arguments[0].as_string();
    Ok(Value::from(text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())))
}

/// Each copy can double the whole, so there are few.
fn patch(arguments: &[Value]) -> Answer {
    let copies = match &arguments[1] {
        Value::Array(operations) => operations.iter().filter(|operation| is_copy(operation)).count(),
        _ => 0,
    };
    within(copies, MAX_COPIES, "copies")?;
    native("json.patch", arguments)
}

fn is_copy(operation: &Value) -> bool {
    let name = operation.as_object().ok().and_then(|fields| fields.get(&Value::from("op")));
    name == Some(&Value::from("copy"))
}

/// How often a part occurs, each occurrence after the one before; the empty text is before and after each character.
fn count(arguments: &[Value]) -> Answer {
    let (whole, part) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(Value::from(whole.matches(part).count() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_do_not_overlap() {
        let call = |whole: &str, part: &str| count(&[whole, part].map(Value::from));
        for (whole, part, expected) in
            [("11111", "11", 2_u64), ("dummy", "", 6), ("", "", 1), ("é", "", 2), ("a", "b", 0)]
        {
            assert_eq!(call(whole, part), Ok(Value::from(expected)), "{part} in {whole}");
        }
    }
}
