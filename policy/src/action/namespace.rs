//! What the owners of a namespace say on its Namespace object: a deny level of their own, and break glass.

use crate::DenyLevel;
use crate::break_glass::GlassWord;
use crate::engine::Value;

/// The label or annotation of a Namespace that asks for a deny level.
pub const DENY_LEVEL: &str = "writ.dev/deny-level";

/// What a Namespace asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NamespaceWord {
    pub level: Option<DenyLevel>,
    /// What is written there and is no level. It changes nothing, and is said.
    pub unknown: Option<String>,
    pub glass: GlassWord,
}

impl NamespaceWord {
    /// What the Namespace object says; of label and annotation the stricter one counts.
    pub(crate) fn of(namespace: &Value) -> Self {
        let metadata = &namespace["metadata"];
        let mut word = Self { glass: GlassWord::of(metadata), ..Self::default() };
        for place in ["labels", "annotations"] {
            match &metadata[place][DENY_LEVEL] {
                Value::Undefined => {}
                value => match value.as_string().ok().and_then(|text| text.parse().ok()) {
                    Some(level) => word.level = word.level.max(Some(level)),
                    None => word.unknown = Some(value.to_string().trim_matches('"').chars().take(80).collect()),
                },
            }
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(metadata: &str) -> NamespaceWord {
        NamespaceWord::of(&Value::from_json_str(&format!(r#"{{"metadata": {metadata}}}"#)).unwrap())
    }

    #[test]
    fn label_and_annotation_are_read_and_what_is_unknown_is_kept_to_be_said() {
        assert_eq!(word("{}"), NamespaceWord::default());
        assert_eq!(word(r#"{"labels": {"writ.dev/deny-level": "HIGH"}}"#).level, Some(DenyLevel::High));
        let both = word(r#"{"labels": {"writ.dev/deny-level": "LOW"}, "annotations": {"writ.dev/deny-level": "MED"}}"#);
        assert_eq!(both.level, Some(DenyLevel::Med));
        let unknown = word(r#"{"labels": {"writ.dev/deny-level": "high"}}"#);
        assert_eq!((unknown.level, unknown.unknown.as_deref()), (None, Some("high")));
    }
}
