//! The files of a policies repository as text, before anything is made of them.

use crate::{Diagnostic, Digest};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The most files a repository may hold under its policy path.
pub const MAX_FILES: usize = 10_000;
/// The most bytes that all files together may have.
pub const MAX_TOTAL_BYTES: usize = 64 << 20;
/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 512;

/// One regular file: a path within the repository with `/` between its parts, and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Relative, normalised path; see [`checked_path`].
    pub path: String,
    /// The content, valid UTF-8.
    pub text: Arc<str>,
}

impl SourceFile {
    /// The file, or why it is refused: an odd path, too large, not UTF-8 (with the line of the first bad byte).
    pub fn new(path: &str, content: &[u8]) -> Result<Self, Diagnostic> {
        let path = checked_path(path)?;
        if content.len() > MAX_FILE_BYTES {
            let message = format!("the file has {} bytes, more than {MAX_FILE_BYTES}", content.len());
            return Err(Diagnostic::error(path, message)
                .at(1, 1)
                .help("Split the file, or keep it out of the policy path."));
        }
        match std::str::from_utf8(content) {
            Ok(text) => Ok(Self { path, text: text.strip_prefix('\u{feff}').unwrap_or(text).into() }),
            Err(error) => {
                let before = &content[..error.valid_up_to()];
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u32;
                let column =
                    1 + String::from_utf8_lossy(before).chars().rev().take_while(|c| *c != '\n').count() as u32;
                Err(Diagnostic::error(path, "the file is not UTF-8").at(line, column).help("Save the file as UTF-8."))
            }
        }
    }

    /// The digest of the text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// Whether these are unit tests of policies: `*_test.rego`, or `test_*.rego` as MagTape names them.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.ends_with("_test.rego") || (name.starts_with("test_") && name.ends_with(".rego"))
    }

    /// Whether this is Rego.
    pub fn is_rego(&self) -> bool {
        self.path.ends_with(".rego")
    }

    /// Whether this is YAML that may hold Writ's or Gatekeeper's kinds.
    pub fn is_yaml(&self) -> bool {
        self.path.ends_with(".yaml") || self.path.ends_with(".yml")
    }
}

/// Whether a file of this path is read at all: Rego, YAML, JSON data and Markdown pages outside of dot folders.
pub fn is_relevant(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.') && part.len() > 1 && part != "..");
    let known = [".rego", ".yaml", ".yml", ".json", ".md"].iter().any(|ending| path.ends_with(ending));
    known && !hidden
}

/// The path when it is relative, normalised and printable; else the reason it is refused.
pub fn checked_path(path: &str) -> Result<String, Diagnostic> {
    let shown: String = path.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let refuse = |why: &str| Err(Diagnostic::error(shown.clone(), format!("the path {why}")).help("Rename the file."));
    if path.is_empty() || path.len() > MAX_PATH_BYTES {
        return refuse("is empty or longer than 512 bytes");
    }
    if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        return refuse("is not a plain relative path");
    }
    if path.chars().any(char::is_control) {
        return refuse("has a control character");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git")) {
        return refuse("has a part that is empty, `.`, `..` or `.git`");
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_refused_with_the_reason() {
        for path in ["", "/etc/x.rego", "a/../b.rego", "a//b", "./a", "a\\b", ".git/config", "a/.GIT/x", "a\nb"] {
            assert!(checked_path(path).is_err(), "{path:?}");
        }
        assert!(checked_path("policies/mt1001.rego").is_ok());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_with_line_and_column() {
        let diagnostic = SourceFile::new("a.rego", b"package a\nx \xff").unwrap_err();
        assert_eq!(diagnostic.to_string(), "a.rego:2:3: error: the file is not UTF-8");
    }
}
