//! What a case wants: violations, none, or so many, of all messages or of those that a pattern matches.

use crate::engine::builtins;
use crate::policy_set::MOST_MESSAGES;

/// One line of `assertions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assertion {
    pub wanted: Wanted,
    /// A pattern (RE2) of the messages that count; all when there is none.
    pub message: Option<String>,
}

/// How many violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    AtLeastOne,
    None,
    Exactly(u64),
}

/// What the constraint said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The messages, without the constraint's name before them.
    Violations(Vec<String>),
    /// It could not be evaluated.
    Error(String),
}

impl Assertion {
    /// Whether it holds; else what was wanted. An error is a violation, as at admission, but only for an assertion that
    /// names it: a test that passes because its template is broken proves nothing.
    pub(super) fn check(&self, said: &Said) -> Result<(), String> {
        match said {
            Said::Violations(messages) => self.check_messages(messages),
            Said::Error(reason) => match &self.message {
                Some(_) if self.counts(reason) && self.wanted != Wanted::None => Ok(()),
                _ => Err(format!("wanted {}; the constraint could not be evaluated", self.describe())),
            },
        }
    }

    fn check_messages(&self, messages: &[String]) -> Result<(), String> {
        let found = messages.iter().filter(|message| self.counts(message)).count() as u64;
        let is_cut = messages.len() >= MOST_MESSAGES;
        let holds = match self.wanted {
            Wanted::AtLeastOne => found > 0,
            Wanted::None => found == 0 && !(is_cut && self.message.is_some()),
            Wanted::Exactly(wanted) => found == wanted && !is_cut,
        };
        let more =
            if is_cut { format!(" ({MOST_MESSAGES} or more were said, too many to count)") } else { String::new() };
        if holds { Ok(()) } else { Err(format!("wanted {}, found {found}{more}", self.describe())) }
    }

    fn counts(&self, message: &str) -> bool {
        self.message.as_ref().is_none_or(|pattern| builtins::pattern_matches(pattern, message) == Some(true))
    }

    fn describe(&self) -> String {
        let wanted = match self.wanted {
            Wanted::AtLeastOne => "at least one violation".to_owned(),
            Wanted::None => "no violation".to_owned(),
            Wanted::Exactly(1) => "exactly 1 violation".to_owned(),
            Wanted::Exactly(wanted) => format!("exactly {wanted} violations"),
        };
        self.message.iter().fold(wanted, |wanted, pattern| format!("{wanted} with a message like {pattern:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: Wanted, message: Option<&str>, said: &Said) -> Result<(), String> {
        Assertion { wanted, message: message.map(Into::into) }.check(said)
    }

    #[test]
    fn violations_are_counted_by_their_messages() {
        let said = Said::Violations(vec!["no owner".into(), "no team".into()]);
        for (wanted, message, holds) in [
            (Wanted::AtLeastOne, None, true),
            (Wanted::AtLeastOne, Some("^no o"), true),
            (Wanted::AtLeastOne, Some("owner$|x"), true),
            (Wanted::AtLeastOne, Some("other"), false),
            (Wanted::None, None, false),
            (Wanted::None, Some("other"), true),
            (Wanted::Exactly(2), None, true),
            (Wanted::Exactly(1), None, false),
            (Wanted::Exactly(1), Some("team"), true),
        ] {
            assert_eq!(check(wanted, message, &said).is_ok(), holds, "{wanted:?} {message:?}");
        }
        let none = Said::Violations(vec![]);
        assert!(check(Wanted::None, None, &none).is_ok() && check(Wanted::Exactly(0), None, &none).is_ok());
        assert_eq!(
            check(Wanted::Exactly(2), Some("a"), &none).unwrap_err(),
            "wanted exactly 2 violations with a message like \"a\", found 0"
        );
    }

    #[test]
    fn error_satisfies_only_what_names_it() {
        let said = Said::Error("two values".into());
        assert!(check(Wanted::AtLeastOne, Some("two values"), &said).is_ok());
        assert!(check(Wanted::AtLeastOne, None, &said).is_err());
        assert!(check(Wanted::None, None, &said).is_err());
        assert!(check(Wanted::None, Some("other"), &said).is_err());
    }

    #[test]
    fn what_was_cut_is_not_counted() {
        let said = Said::Violations((0..MOST_MESSAGES).map(|number| number.to_string()).collect());
        assert!(check(Wanted::Exactly(MOST_MESSAGES as u64), None, &said).is_err());
        assert!(check(Wanted::None, Some("x"), &said).is_err());
        assert!(check(Wanted::AtLeastOne, None, &said).is_ok());
    }
}
