//! Names, validated once at the edge. Inside, code passes `&PolicyName`, never `&str`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A text is not a name of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}: {rule}")]
pub struct NameError {
    text: String,
    what: &'static str,
    rule: &'static str,
}

/// A text newtype that holds what `$valid` accepts and serialises as the text.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name, or an error that says the rule it breaks.
            pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
                let text = text.as_ref();
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(Self::refuse(text)) }
            }

            /// The error that says the rule.
            pub(crate) fn refuse(text: &str) -> NameError {
                NameError { text: text.chars().take(80).collect(), what: $what, rule: $rule }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// One named unit of rules, e.g. `policy-liveness-probe`. Derived from the package (`writ.policy_pdb` is
    /// `policy-pdb`) or taken from a MagTape policy's `policy_metadata.name`.
    PolicyName, "policy name", "lower-case letters, digits, `-`, `.` and `/`, at most 320 characters",
    |text| is_text(text, 320, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-./".contains(c))
);
name!(
    /// What people look a policy up by: the short code that a denial carries, e.g. `MT1001`, or a Gatekeeper constraint
    /// as `K8sRequiredLabels/must-have-owner`. Unique in a repository.
    PolicyCode, "policy code",
    "upper-case letters and digits, starting with a letter, at most 32 characters",
    |text| match text.split_once('/') {
        None => text.starts_with(|c: char| c.is_ascii_uppercase())
            && is_text(text, 32, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'),
        Some((kind, name)) => kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && is_text(kind, 63, |c| c.is_ascii_alphanumeric())
            && is_dns_name(name),
    }
);
name!(
    /// A cluster of the fleet, as the operator named it when the enrollment token was made.
    ClusterName, "cluster name", "an RFC 1123 label or dotted name: lower-case letters, digits, `-` and `.`, at most 253 characters",
    is_dns_name
);
name!(
    /// A Kubernetes namespace. Reviews of cluster-scoped objects have none; reports write `""` then.
    NamespaceName, "namespace name", "an RFC 1123 label: lower-case letters, digits and `-`, at most 63 characters",
    |text| text.len() <= 63 && is_dns_name(text) && !text.contains('.')
);
name!(
    /// The git commit a bundle was built from: the full object id in lower-case hex.
    Revision, "revision", "a full git object id, 40 or 64 lower-case hex digits",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
);
name!(
    /// One agent, made by the hub at enrollment (a UUIDv7 as text).
    AgentId, "agent id", "a UUID in its hyphenated form",
    |text| uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
);

impl Revision {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

/// Labels of a cluster, e.g. `env=prod`. Bound by the enrollment token, never claimed by the agent.
pub type Labels = BTreeMap<String, String>;

fn is_text(text: &str, longest: usize, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.len() <= longest && text.chars().all(allowed)
}

/// RFC 1123 subdomain, as Kubernetes checks names.
fn is_dns_name(text: &str) -> bool {
    let label = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    !text.is_empty() && text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_validated_and_say_the_rule() {
        assert!(PolicyName::new("policy-pdb").is_ok());
        assert!(PolicyCode::new("MT1001").is_ok());
        assert!(PolicyCode::new("mt1001").is_err());
        assert!(PolicyCode::new("K8sRequiredLabels/must-have-owner").is_ok());
        assert!(PolicyCode::new("K8sRequiredLabels/").is_err());
        assert!(NamespaceName::new("kube-system").is_ok());
        assert!(NamespaceName::new("a.b").is_err());
        assert!(ClusterName::new("-x").is_err());
        assert!(Revision::new("0123456789012345678901234567890123456789").is_ok());
        let error = Revision::new("HEAD").unwrap_err().to_string();
        assert_eq!(error, "\"HEAD\" is not a revision: a full git object id, 40 or 64 lower-case hex digits");
    }

    #[test]
    fn a_name_in_json_is_validated_too() {
        assert!(serde_json::from_str::<NamespaceName>("\"<script>\"").is_err());
    }
}
