//! `regex.*` with RE2's meaning of patterns, compiled once per thread.

mod flavour;

use super::answer::{Fault, MAX_TEXT, integer, text, within};
use super::{Answer, Own};
use ::regex::{Regex, RegexBuilder};
use regorus::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "regex.find_all_string_submatch_n", arity: 3, call: find_submatches },
    Own { name: "regex.find_n", arity: 3, call: find },
    Own { name: "regex.is_valid", arity: 1, call: is_valid },
    Own { name: "regex.match", arity: 2, call: is_match },
    Own { name: "regex.replace", arity: 3, call: replace },
    Own { name: "regex.split", arity: 2, call: split },
];

/// The largest compiled pattern, in bytes.
const MAX_COMPILED: usize = 4 << 20;
/// How many patterns a thread keeps. Patterns come from policies, and few from objects.
const MAX_KEPT: usize = 256;

type Cached = Result<Rc<Regex>, Fault>;

thread_local! {
    static KEPT: RefCell<HashMap<Box<str>, Cached>> = RefCell::new(HashMap::new());
}

/// The pattern ready to match; undefined when RE2 would not take it.
pub(super) fn compiled(pattern: &str) -> Cached {
    KEPT.with_borrow_mut(|kept| {
        if let Some(known) = kept.get(pattern) {
            return known.clone();
        }
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let compiled = compile(pattern);
        kept.insert(pattern.into(), compiled.clone());
        compiled
    })
}

fn compile(pattern: &str) -> Cached {
    let translated = flavour::translate(pattern).ok_or(Fault::Undefined)?;
    match RegexBuilder::new(&translated).size_limit(MAX_COMPILED).nest_limit(100).build() {
        Ok(regex) => Ok(Rc::new(regex)),
        Err(::regex::Error::CompiledTooBig(_)) => {
            Err(Fault::Refused(format!("a pattern of more than {MAX_COMPILED} bytes")))
        }
        Err(_) => Err(Fault::Undefined),
    }
}

pub(super) fn is_match(arguments: &[Value]) -> Answer {
    let value = text(arguments, 1)?;
    Ok(Value::from(compiled(text(arguments, 0)?)?.is_match(value)))
}

fn is_valid(arguments: &[Value]) -> Answer {
    let Ok(pattern) = text(arguments, 0) else { return Ok(Value::from(false)) };
    match compiled(pattern) {
        Ok(_) => Ok(Value::from(true)),
        Err(Fault::Undefined) => Ok(Value::from(false)),
        Err(refused) => Err(refused),
    }
}

/// How many matches are wanted; a negative number is all of them.
fn limit(arguments: &[Value], at: usize) -> Result<usize, Fault> {
    Ok(usize::try_from(integer(arguments, at)?).unwrap_or(usize::MAX))
}

fn find(arguments: &[Value]) -> Answer {
    let (regex, value) = (compiled(text(arguments, 0)?)?, text(arguments, 1)?);
    let found = regex.find_iter(value).take(limit(arguments, 2)?);
    Ok(Value::from(found.map(|found| Value::from(found.as_str())).collect::<Vec<_>>()))
}

fn find_submatches(arguments: &[Value]) -> Answer {
    let (regex, value) = (compiled(text(arguments, 0)?)?, text(arguments, 1)?);
    let found = regex.captures_iter(value).take(limit(arguments, 2)?);
    let groups = |captures: ::regex::Captures<'_>| {
        let group = |group: Option<::regex::Match<'_>>| Value::from(group.map_or("", |group| group.as_str()));
        Value::from(captures.iter().map(group).collect::<Vec<_>>())
    };
    Ok(Value::from(found.map(groups).collect::<Vec<_>>()))
}

fn replace(arguments: &[Value]) -> Answer {
    let (whole, new) = (text(arguments, 0)?, text(arguments, 2)?);
    let regex = compiled(text(arguments, 1)?)?;
    let (mut out, mut done) = (String::new(), 0);
    for captures in regex.captures_iter(whole) {
        let matched = captures.get(0).expect("group 0 is the match");
        out.push_str(&whole[done..matched.start()]);
        captures.expand(new, &mut out);
        done = matched.end();
        within(out.len(), MAX_TEXT.max(whole.len()), "bytes")?;
    }
    out.push_str(&whole[done..]);
    Ok(Value::from(out))
}

/// As Go splits: an empty match at the beginning splits nothing off.
fn split(arguments: &[Value]) -> Answer {
    let (regex, whole) = (compiled(text(arguments, 0)?)?, text(arguments, 1)?);
    if whole.is_empty() && !text(arguments, 0)?.is_empty() {
        return Ok(Value::from(vec![Value::from("")]));
    }
    let (mut parts, mut begin, mut end) = (vec![], 0, 0);
    for matched in regex.find_iter(whole) {
        end = matched.start();
        if matched.end() != 0 {
            parts.push(Value::from(&whole[begin..end]));
        }
        begin = matched.end();
    }
    if end != whole.len() {
        parts.push(Value::from(&whole[begin..]));
    }
    Ok(Value::from(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> Answer {
        is_match(&[Value::from(pattern), Value::from(value)])
    }

    #[test]
    fn classes_are_ascii_as_in_re2() {
        for (pattern, value, expected) in [
            (r"^\d+$", "123", true),
            (r"^\d+$", "١٢٣", false),
            (r"^\w{1,63}$", "abc_9", true),
            (r"^\w+$", "é", false),
            (r"^[\w.-]+$", "a.b-c", true),
            (r"^[^\s]+$", "a\u{a0}b", true),
            (r"\bé", "é", false),
            (r"a\Bb", "ab", true),
            (r"^[a&&b]$", "&", true),
            (r"^[[a]$", "[", true),
            (r"^[[:alpha:]_]+$", "ab_", true),
            (r"^[+--]+$", "+,-", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^a{,2}$", "a{,2}", true),
            (r"^\101$", "A", true),
            (r"(?i)^STRASSE$", "strasse", true),
        ] {
            assert_eq!(matches(pattern, value), Ok(Value::from(expected)), "{pattern} on {value}");
        }
    }

    #[test]
    fn what_re2_does_not_take_is_undefined() {
        for pattern in ["(?!x)a", "a**", "a{1001}", r"\u0041", "(?x)a", r"\<a", "(", "[z-a]", r"\Z", "*a", r"(a)\1"] {
            let expected = if pattern == r"\<a" { Ok(Value::from(true)) } else { Err(Fault::Undefined) };
            assert_eq!(matches(pattern, "<a"), expected, "{pattern}");
        }
    }

    #[test]
    fn splits_as_go_does() {
        let parts =
            |pattern: &str, value: &str| split(&[Value::from(pattern), Value::from(value)]).unwrap().to_string();
        assert_eq!(parts("a*", "abaabaccadaaae"), r#"["","b","b","c","c","d","e"]"#);
        assert_eq!(parts(",", "a,b,"), r#"["a","b",""]"#);
        assert_eq!(parts("", "abc"), r#"["a","b","c"]"#);
        assert_eq!(parts("x", ""), r#"[""]"#);
    }
}
