//! Which tests and cases are asked for: `PATTERN` for names of tests or cases, `TEST//CASE` for both.

use super::Test;
use crate::engine::builtins;

/// What is to be run. The default is everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    test: String,
    case: String,
    /// Whether one pattern stands for either name.
    either: bool,
}

impl Filter {
    /// Reads `PATTERN` or `TEST//CASE`; the error is for people.
    pub fn new(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split("//").collect();
        for part in &parts {
            if builtins::pattern_matches(part, "").is_none() {
                return Err(format!("{part:?} is not a pattern (RE2)"));
            }
        }
        match parts.as_slice() {
            [one] => Ok(Self { test: (*one).to_owned(), case: (*one).to_owned(), either: true }),
            [test, case] => Ok(Self { test: (*test).to_owned(), case: (*case).to_owned(), either: false }),
            _ => Err("write `//` once, between the test and the case".to_owned()),
        }
    }

    pub(super) fn selects(&self, test: &Test) -> bool {
        let is_named = finds(&self.test, &test.name);
        is_named || (self.either && test.cases.iter().any(|case| finds(&self.case, &case.name)))
    }

    /// Whether a case of a selected test is run.
    pub(super) fn selects_case(&self, test: &str, case: &str) -> bool {
        finds(&self.case, case) || (self.either && finds(&self.test, test))
    }
}

fn finds(pattern: &str, name: &str) -> bool {
    pattern.is_empty() || builtins::pattern_matches(pattern, name) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_is_for_either_name_and_two_are_for_both() {
        for (pattern, test, case, selected) in [
            ("", "labels", "missing", true),
            ("miss", "labels", "missing", true),
            ("miss", "missing-labels", "other", true),
            ("^labels$", "labels", "other", true),
            ("labels//miss", "labels", "missing", true),
            ("labels//miss", "labels", "other", false),
            ("//miss", "labels", "missing", true),
            ("labels//", "labels", "other", true),
        ] {
            assert_eq!(Filter::new(pattern).unwrap().selects_case(test, case), selected, "{pattern} {test}/{case}");
        }
        assert!(Filter::new("a//b//c").is_err() && Filter::new("(").is_err());
    }
}
