//! What is wrong with a repository, where, and how to mend it. A bad policy is data, not an error.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a diagnostic stops a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth a look; the commit is served.
    Warning,
    /// The commit is recorded and not served.
    Error,
}

/// One finding. `line` and `column` count from 1 in the author's own text, in characters; 0 means "the whole file".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Path within the repository.
    pub path: String,
    /// Line from 1; 0 when it is about the whole file.
    pub line: u32,
    /// Column from 1; 0 when it is about the whole line or file.
    pub column: u32,
    /// How many characters to underline, at least 1.
    pub length: u32,
    /// Whether the commit is refused for it.
    pub level: Level,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How to mend it, as a sentence.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error about a whole file.
    pub fn error(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: 0,
            column: 0,
            length: 1,
            level: Level::Error,
            message: message.into(),
            help: None,
        }
    }

    /// A warning about a whole file.
    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(path, message) }
    }

    /// The same finding at a place.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        (self.line, self.column) = (line, column);
        self
    }

    /// The same finding, underlining this many characters.
    #[must_use]
    pub fn spanning(mut self, length: u32) -> Self {
        self.length = length.max(1);
        self
    }

    /// The same finding with the way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same finding, for which a commit is not refused.
    #[must_use]
    pub fn warning_only(mut self) -> Self {
        self.level = Level::Warning;
        self
    }

    /// Whether the commit is refused for it.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

/// `path:line:column: error: message`, the form that editors and CI logs link.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        let level = if self.is_error() { "error" } else { "warning" };
        // A finding about all of it has no place.
        let after = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{after}{level}: {}", self.message)
    }
}
