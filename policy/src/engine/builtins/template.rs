//! `regex.template_match`: a text against a template with patterns between delimiters.

use super::answer::{Fault, text};
use super::{Answer, Own, regex};
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[Own { name: "regex.template_match", arity: 4, call: template_match }];

fn template_match(arguments: &[Value]) -> Answer {
    let (template, value) = (text(arguments, 0)?, text(arguments, 1)?);
    let pattern = pattern(template, delimiter(arguments, 2)?, delimiter(arguments, 3)?)?;
    Ok(Value::from(regex::compiled(&pattern)?.is_match(value)))
}

/// OPA takes delimiters of one byte.
fn delimiter(arguments: &[Value], at: usize) -> Result<char, Fault> {
    let mut characters = text(arguments, at)?.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) if one.is_ascii() => Ok(one),
        _ => Err(Fault::Undefined),
    }
}

/// The template as one pattern; delimiters may nest within a pattern and must be balanced.
fn pattern(template: &str, open: char, close: char) -> Result<String, Fault> {
    let (mut pattern, mut depth, mut start) = ("^".to_owned(), 0_usize, 0);
    for (at, character) in template.char_indices() {
        if character == open {
            depth += 1;
            if depth == 1 {
                pattern.push_str(&::regex::escape(&template[start..at]));
                start = at + 1;
            }
        } else if character == close {
            depth = depth.checked_sub(1).ok_or(Fault::Undefined)?;
            if depth == 0 {
                pattern.push_str(&format!("({})", &template[start..at]));
                start = at + 1;
            }
        }
    }
    if depth > 0 {
        return Err(Fault::Undefined);
    }
    Ok(pattern + &::regex::escape(&template[start..]) + "$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shorter_than_the_template_is_no_match() {
        let call = |template: &str, value: &str| template_match(&[template, value, "{", "}"].map(Value::from));
        assert_eq!(call("urn:foo:{.*}", "urn"), Ok(Value::from(false)));
        assert_eq!(call("urn:foo:{.*}", "urn:foo:bar"), Ok(Value::from(true)));
        assert_eq!(call("urn:{a{2}}", "urn:aa"), Ok(Value::from(true)));
        assert_eq!(call("urn:{a", "urn:a"), Err(Fault::Undefined));
    }
}
