//! `regex.globs_match`: whether some text matches both of two simple patterns. They know characters, `.`, sets in square
//! brackets, `\` before a character, and `*` or `+` after one of these; each matches whole texts.

use super::answer::{Fault, text};
use super::{Answer, Own};
use regorus::Value;
use std::collections::HashSet;

pub(super) const BUILTINS: &[Own] = &[Own { name: "regex.globs_match", arity: 2, call: globs_match }];

/// The most pairs of places in two patterns.
const MAX_PAIRS: usize = 1 << 20;

struct Part {
    /// Inclusive ranges of characters.
    characters: Vec<(char, char)>,
    may_be_absent: bool,
    may_repeat: bool,
}

fn globs_match(arguments: &[Value]) -> Answer {
    let (left, right) = (parts(text(arguments, 0)?)?, parts(text(arguments, 1)?)?);
    if (left.len() + 1).saturating_mul(right.len() + 1) > MAX_PAIRS {
        return Err(Fault::Refused("patterns that are too long to compare".into()));
    }
    Ok(Value::from(meet(&left, &right)))
}

/// Follows both patterns at once, by a character that both take.
fn meet(left: &[Part], right: &[Part]) -> bool {
    let (mut seen, mut next) = (HashSet::from([(0, 0)]), vec![(0, 0)]);
    while let Some((i, j)) = next.pop() {
        if (i, j) == (left.len(), right.len()) {
            return true;
        }
        let (a, b) = (left.get(i), right.get(j));
        let mut reach = |pair| {
            if seen.insert(pair) {
                next.push(pair);
            }
        };
        if a.is_some_and(|a| a.may_be_absent) {
            reach((i + 1, j));
        }
        if b.is_some_and(|b| b.may_be_absent) {
            reach((i, j + 1));
        }
        let (Some(a), Some(b)) = (a, b) else { continue };
        if a.shares_a_character(b) {
            reach((i + 1, j + 1));
            if a.may_repeat {
                reach((i, j + 1));
            }
            if b.may_repeat {
                reach((i + 1, j));
            }
        }
    }
    false
}

impl Part {
    fn shares_a_character(&self, other: &Self) -> bool {
        self.characters.iter().any(|(a, b)| other.characters.iter().any(|(c, d)| a <= d && c <= b))
    }
}

fn parts(pattern: &str) -> Result<Vec<Part>, Fault> {
    let (mut parts, mut rest) = (vec![], pattern.chars().peekable());
    while let Some(character) = rest.next() {
        let characters = match character {
            '[' => set(&mut rest)?,
            '.' => vec![('\0', char::MAX)],
            '\\' => rest.next().map(|escaped| vec![(escaped, escaped)]).ok_or(Fault::Undefined)?,
            ']' | '*' | '+' => return Err(Fault::Undefined),
            plain => vec![(plain, plain)],
        };
        let flag = rest.next_if(|next| matches!(next, '*' | '+'));
        parts.push(Part { characters, may_be_absent: flag == Some('*'), may_repeat: flag.is_some() });
    }
    Ok(parts)
}

fn set(rest: &mut impl Iterator<Item = char>) -> Result<Vec<(char, char)>, Fault> {
    let (mut ranges, mut open) = (vec![], None);
    loop {
        let character = match rest.next().ok_or(Fault::Undefined)? {
            ']' if open != Some(true) && !ranges.is_empty() => return Ok(ranges),
            '[' | ']' => return Err(Fault::Undefined),
            '-' if open == Some(false) => {
                open = Some(true);
                continue;
            }
            '\\' => rest.next().ok_or(Fault::Undefined)?,
            plain => plain,
        };
        match (open, ranges.last_mut()) {
            (Some(true), Some((first, last))) if *first <= character => {
                *last = character;
                open = None;
            }
            (Some(true), _) => return Err(Fault::Undefined),
            _ => {
                ranges.push((character, character));
                open = Some(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_patterns_meet_when_one_text_matches_both() {
        for (left, right, expected) in [
            ("a.a.[0-9]+z", ".b.b2359825792*594823z", true),
            ("[a-z]+", "[0-9]*", false),
            ("b.*", "bar", true),
            (r"[a-z]+\[[0-9]+\]", r"foo\[1\]", true),
            (r"[a-z]+\[[0-9]+\]", r#"foo\["bar"\]"#, false),
            ("a*", "b*", true),
            ("a+", "b*", false),
            ("", "", true),
            ("abc", "ab", false),
        ] {
            assert_eq!(globs_match(&[left, right].map(Value::from)), Ok(Value::from(expected)), "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_undefined() {
        for pattern in ["pqrs]", "[a", "*a", "a\\", "[z-a]", "a[]"] {
            assert_eq!(globs_match(&[pattern, "a"].map(Value::from)), Err(Fault::Undefined), "{pattern}");
        }
    }
}
