//! Builtins of arrays, texts and JSON that the engine lacks, or answers otherwise than OPA.

use super::answer::{Fault, MAX_ITEMS, text, within};
use super::{Answer, Own};
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "array.flatten", arity: 1, call: flatten },
    Own { name: "json.is_valid", arity: 1, call: is_json },
    Own { name: "strings.count", arity: 2, call: count },
];

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
