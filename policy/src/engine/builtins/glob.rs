//! `glob.*` with the meaning of the library that OPA uses: `*` and `?` stop at delimiters, `**` does not. The pattern
//! becomes a regular expression, which takes time in proportion to the text.

use super::answer::{Fault, text};
use super::{Answer, Own, regex};
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "glob.match", arity: 3, call: glob_match },
    Own { name: "glob.quote_meta", arity: 1, call: quote_meta },
];

/// The deepest nesting of alternatives.
const MAX_DEPTH: usize = 16;

fn glob_match(arguments: &[Value]) -> Answer {
    let (pattern, value) = (text(arguments, 0)?, text(arguments, 2)?);
    let pattern = translated(pattern, &delimiters(&arguments[1])?)?;
    Ok(Value::from(regex::compiled(&pattern)?.is_match(value)))
}

/// None for null, the dot for an empty list.
fn delimiters(given: &Value) -> Result<Vec<char>, Fault> {
    let given = match given {
        Value::Null => return Ok(vec![]),
        Value::Array(items) if items.is_empty() => return Ok(vec!['.']),
        Value::Array(items) => items,
        _ => return Err(Fault::Undefined),
    };
    let one = |item: &Value| {
        let mut characters = item.as_string().map_err(|_| Fault::Undefined)?.chars();
        characters.next().filter(|_| characters.next().is_none()).ok_or(Fault::Undefined)
    };
    given.iter().map(one).collect()
}

/// The glob as a regular expression for whole texts.
fn translated(glob: &str, delimiters: &[char]) -> Result<String, Fault> {
    let one = if delimiters.is_empty() {
        ".".to_owned()
    } else {
        format!("[^{}]", delimiters.iter().map(|one| quoted(*one)).collect::<String>())
    };
    let (mut out, mut depth, mut rest) = ("(?s)^(?:".to_owned(), 0_usize, glob.chars().peekable());
    while let Some(character) = rest.next() {
        match character {
            '*' => {
                let is_super = rest.next_if_eq(&'*').is_some();
                while is_super && rest.next_if_eq(&'*').is_some() {}
                out += if is_super { ".*" } else { &one };
                out += if is_super { "" } else { "*" };
            }
            '?' => out += &one,
            '[' => out += &list(&mut rest)?,
            '{' if depth == MAX_DEPTH => return Err(Fault::Refused("alternatives nest too deeply".into())),
            '{' => {
                depth += 1;
                out += "(?:";
            }
            ',' if depth > 0 => out.push('|'),
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            '}' => return Err(Fault::Undefined),
            '\\' => out += &quoted(rest.next().ok_or(Fault::Undefined)?),
            plain => out += &quoted(plain),
        }
    }
    if depth > 0 { Err(Fault::Undefined) } else { Ok(out + ")$") }
}

/// `[abc]`, `[a-z]` and their negations.
fn list(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, Fault> {
    let negated = rest.next_if_eq(&'!').is_some();
    let mut items = vec![];
    loop {
        match rest.next().ok_or(Fault::Undefined)? {
            ']' if !items.is_empty() => break,
            ']' => return Err(Fault::Undefined),
            '\\' => items.push(rest.next().ok_or(Fault::Undefined)?),
            plain => items.push(plain),
        }
    }
    let inner = match items.as_slice() {
        [first, '-', last] if first <= last => format!("{}-{}", quoted(*first), quoted(*last)),
        [_, '-', _] => return Err(Fault::Undefined),
        all => all.iter().map(|one| quoted(*one)).collect(),
    };
    Ok(format!("[{}{inner}]", if negated { "^" } else { "" }))
}

/// The character without a meaning of its own, in a pattern and in a list.
fn quoted(character: char) -> String {
    if character.is_ascii_punctuation() { format!("\\{character}") } else { character.to_string() }
}

fn quote_meta(arguments: &[Value]) -> Answer {
    let quote = |character: char| match character {
        '*' | '?' | '\\' | '[' | ']' | '{' | '}' => format!("\\{character}"),
        plain => plain.to_string(),
    };
    Ok(Value::from(text(arguments, 0)?.chars().map(quote).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_delimiters() {
        let call = |pattern: &str, delimiters: &str, value: &str| {
            glob_match(&[Value::from(pattern), Value::from_json_str(delimiters).unwrap(), Value::from(value)])
        };
        for (pattern, delimiters, value, expected) in [
            ("*:*", r#"[":"]"#, "a:b:c", false),
            ("**:c", r#"[":"]"#, "a:b:c", true),
            ("*.com", "[]", "a.b.com", false),
            ("*.com", "null", "a.b.com", true),
            ("a/*/c", r#"["/"]"#, "a//c", true),
            ("{a,b{c,d}}e", "[]", "bde", true),
            ("[a-c]x", "[]", "bx", true),
            ("[!a-c]x", "[]", "bx", false),
            (r"\*", "[]", "*", true),
            ("a,b", "[]", "a,b", true),
            ("*", "null", "a\nb", true),
        ] {
            assert_eq!(call(pattern, delimiters, value), Ok(Value::from(expected)), "{pattern} on {value}");
        }
        for pattern in ["{a", "[a", "a\\"] {
            assert_eq!(call(pattern, "[]", "a"), Err(Fault::Undefined), "{pattern}");
        }
    }
}
