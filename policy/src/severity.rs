//! Severity is the author's word about a policy; deny level is the platform's word about what is denied.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How bad a failure is, set by the policy's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the words of the glossary")]
pub enum Severity {
    Low,
    Med,
    High,
}

/// Which severities deny, set by the platform. Inverse to severity: LOW denies only HIGH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DenyLevel {
    /// Denies nothing.
    #[default]
    Off,
    /// Denies HIGH.
    Low,
    /// Denies HIGH and MED.
    Med,
    /// Denies HIGH, MED and LOW.
    High,
}

impl DenyLevel {
    /// Whether a failure of this severity is denied.
    pub fn denies(self, severity: Severity) -> bool {
        match self {
            DenyLevel::Off => false,
            DenyLevel::Low => severity >= Severity::High,
            DenyLevel::Med => severity >= Severity::Med,
            DenyLevel::High => true,
        }
    }
}

/// The word is none of the known ones. An unknown deny level is an error, never "deny all".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of {known}")]
pub struct UnknownWord {
    text: String,
    known: &'static str,
}

impl FromStr for Severity {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "LOW" => Ok(Severity::Low),
            "MED" => Ok(Severity::Med),
            "HIGH" => Ok(Severity::High),
            _ => Err(UnknownWord { text: text.into(), known: "LOW, MED, HIGH" }),
        }
    }
}

impl FromStr for DenyLevel {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "OFF" => Ok(DenyLevel::Off),
            "LOW" => Ok(DenyLevel::Low),
            "MED" => Ok(DenyLevel::Med),
            "HIGH" => Ok(DenyLevel::High),
            _ => Err(UnknownWord { text: text.into(), known: "OFF, LOW, MED, HIGH" }),
        }
    }
}

impl Severity {
    /// The word that messages, rows and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "LOW",
            Severity::Med => "MED",
            Severity::High => "HIGH",
        }
    }
}

impl DenyLevel {
    /// The word that files, rows and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            DenyLevel::Off => "OFF",
            DenyLevel::Low => "LOW",
            DenyLevel::Med => "MED",
            DenyLevel::High => "HIGH",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for DenyLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deny_level_is_inverse_to_severity() {
        use Severity::{High, Low, Med};
        let denied = |level: DenyLevel| [Low, Med, High].map(|severity| level.denies(severity));
        assert_eq!(denied(DenyLevel::Off), [false, false, false]);
        assert_eq!(denied(DenyLevel::Low), [false, false, true]);
        assert_eq!(denied(DenyLevel::Med), [false, true, true]);
        assert_eq!(denied(DenyLevel::High), [true, true, true]);
    }

    #[test]
    fn unknown_deny_level_is_an_error() {
        assert_eq!("ALL".parse::<DenyLevel>().unwrap_err().to_string(), "\"ALL\" is not one of OFF, LOW, MED, HIGH");
    }
}
