//! What the platform lets the owners of namespaces suspend.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// The longest that a fleet may allow.
const LONGEST_MS: i64 = 24 * HOUR_MS;

/// `breakGlass` of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakGlassRule {
    /// Whether the owners of a namespace may, on its Namespace object.
    #[serde(default)]
    pub allow: bool,
    /// The longest time, in milliseconds; written as `1h` or `30m`.
    #[serde(default = "an_hour", serialize_with = "write", deserialize_with = "read")]
    pub max_for: i64,
}

impl Default for BreakGlassRule {
    fn default() -> Self {
        Self { allow: false, max_for: HOUR_MS }
    }
}

impl BreakGlassRule {
    /// The longest time as people write it.
    pub fn told(&self) -> String {
        format!("{:#}", jiff::SignedDuration::from_millis(self.max_for))
    }
}

fn an_hour() -> i64 {
    HOUR_MS
}

fn write<S: Serializer>(max_for: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:#}", jiff::SignedDuration::from_millis(*max_for)))
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let milliseconds = text.parse::<jiff::SignedDuration>().ok().and_then(|time| i64::try_from(time.as_millis()).ok());
    let wanted = "a time of at most 24h such as `1h` or `30m`";
    let found = milliseconds.filter(|found| (1..=LONGEST_MS).contains(found));
    found.ok_or_else(|| D::Error::custom(format!("`{text}` is not {wanted}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_time_is_written_with_a_unit_and_bounded() {
        let rule = |text: &str| serde_json::from_str::<BreakGlassRule>(text);
        let half = rule(r#"{"allow": true, "maxFor": "30m"}"#).unwrap();
        assert_eq!(half, BreakGlassRule { allow: true, max_for: HOUR_MS / 2 });
        assert_eq!(rule(&serde_json::to_string(&half).unwrap()).unwrap(), half);
        assert_eq!(rule("{}").unwrap(), BreakGlassRule::default());
        for wrong in [r#"{"maxFor": "25h"}"#, r#"{"maxFor": "60"}"#, r#"{"maxFor": "-1h"}"#, r#"{"for": "1h"}"#] {
            assert!(rule(wrong).is_err(), "{wrong}");
        }
    }
}
