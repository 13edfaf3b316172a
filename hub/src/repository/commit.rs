//! What a commit says of itself. Its texts were written by anyone who may push: they are bounded and cleaned here.

use std::collections::BTreeMap;
use writ_policy::Revision;

/// The longest author's name that is kept, in characters.
const MAX_AUTHOR: usize = 120;
/// The longest message that is kept, in characters.
const MAX_MESSAGE: usize = 8_000;
/// The trailer that allows a commit to remove most policies.
const ALLOW_REMOVAL: &str = "Writ-Allow-Removal";
/// The trailer that says how a commit is rolled out.
const ROLLOUT: &str = "Writ-Rollout";

/// One commit of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full id.
    pub revision: Revision,
    /// The author's name.
    pub author: String,
    /// The whole message.
    pub message: String,
    /// Unix milliseconds, by the committer's clock.
    pub committed_at: i64,
    /// Who signed it, where signatures are looked at.
    pub signed_by: String,
    /// Of which source it is; empty for the first.
    pub source: String,
    /// At which commit each source was with it, by name; this one among them.
    pub parts: Parts,
}

/// Which commit of each source, by name. The first source has no name.
pub type Parts = BTreeMap<String, Revision>;

impl Commit {
    /// The commit with these texts, bounded.
    pub(super) fn new(revision: Revision, author: &[u8], message: &[u8], seconds: i64) -> Self {
        Self {
            revision,
            author: clean(author, MAX_AUTHOR, false),
            message: clean(message, MAX_MESSAGE, true),
            committed_at: seconds.clamp(0, i64::MAX / 1000).saturating_mul(1000),
            signed_by: String::new(),
            source: String::new(),
            parts: Parts::new(),
        }
    }

    /// Whether its author says that it may remove most policies: a trailer in the last paragraph of the message.
    pub fn allows_removal(&self) -> bool {
        has_trailer(&self.message, ALLOW_REMOVAL, "yes")
    }
}

/// Whether the author of the commit with this message asks that no wave is waited for longer than it must be.
pub fn is_urgent(message: &str) -> bool {
    has_trailer(message, ROLLOUT, "urgent")
}

/// Whether the last paragraph of a message says this.
fn has_trailer(message: &str, wanted: &str, word: &str) -> bool {
    let last = message.trim().rsplit("\n\n").next().unwrap_or_default();
    last.lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(key, value)| key.trim().eq_ignore_ascii_case(wanted) && value.trim().eq_ignore_ascii_case(word))
}

fn clean(bytes: &[u8], longest: usize, lines: bool) -> String {
    // Four bytes a character at most, so a huge text is not decoded whole.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(longest * 4)]);
    let kept = text.chars().filter(|c| !c.is_control() || (lines && matches!(c, '\n' | '\t')));
    kept.take(longest).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(message: &str) -> Commit {
        let revision = Revision::new("0".repeat(40)).unwrap();
        Commit::new(revision, b"A\x1b[31m\nB", message.as_bytes(), i64::MAX)
    }

    #[test]
    fn texts_are_bounded_and_without_control_characters() {
        let commit = commit(&"x\0\u{1b}\n".repeat(100_000));
        assert_eq!(commit.author, "A[31mB");
        assert!(commit.message.chars().count() <= MAX_MESSAGE);
        assert!(!commit.message.contains(['\0', '\u{1b}']));
    }

    #[test]
    fn removal_is_allowed_by_a_trailer_and_not_by_a_sentence() {
        assert!(commit("Remove all\n\nWe moved.\n\nWrit-Allow-Removal: yes\nSigned-off-by: A").allows_removal());
        assert!(!commit("Remove all\n\nWrit-Allow-Removal: yes\n\nmore").allows_removal());
        assert!(!commit("Remove all\n\nWrit-Allow-Removal: no").allows_removal());
    }
}
