//! Break glass: a suspension with an end and a reason. While it is open, what would be refused goes through with a
//! warning and is recorded as such. The platform opens it through the hub, for a cluster or a namespace; the owners of a
//! namespace on its Namespace object, where the platform lets them.

use crate::engine::Value;
use crate::fleet::BreakGlassRule;
use serde::{Deserialize, Serialize};

/// The label or annotation of a Namespace whose value is the end: `20300131T120000Z`, as labels allow no colon.
pub const BREAK_GLASS: &str = "writ.dev/break-glass";
/// The annotation that says why.
pub const BREAK_GLASS_REASON: &str = "writ.dev/break-glass-reason";
/// The longest reason that is told, in characters.
const LONGEST_REASON: usize = 300;

/// One suspension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakGlass {
    /// Where it holds; everywhere in the cluster without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its end, Unix milliseconds, by the clock of who honours it.
    pub until: i64,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who opened it, where that is known.
    #[serde(default)]
    pub by: String,
    /// When it was opened or first seen, Unix milliseconds.
    #[serde(default)]
    pub at: i64,
    /// Whether the owners of the namespace opened it on its Namespace object.
    #[serde(default)]
    pub by_namespace: bool,
}

impl BreakGlass {
    /// Whether it is open in this namespace (empty for cluster-scoped objects) at this time.
    pub fn holds(&self, namespace: &str, now: i64) -> bool {
        now < self.until && self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    /// What the one is told whose request it lets through.
    pub fn told(&self) -> String {
        let place = self.namespace.as_ref().map_or("this cluster".into(), |name| format!("namespace {name}"));
        let reason = if self.reason.is_empty() { "no reason was given" } else { &self.reason };
        format!("break glass is open in {place} until {}: this would have been refused ({reason})", time(self.until))
    }
}

/// What a Namespace object says of break glass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GlassWord {
    /// The end; `None` when nothing is written.
    pub until: Option<i64>,
    pub reason: String,
    /// What is written there and is no time. It opens nothing, and is said.
    pub unknown: Option<String>,
}

impl GlassWord {
    pub(crate) fn of(metadata: &Value) -> Self {
        let mut word = Self { reason: text(&metadata["annotations"][BREAK_GLASS_REASON]), ..Self::default() };
        for place in ["labels", "annotations"] {
            match text(&metadata[place][BREAK_GLASS]) {
                written if written.is_empty() => {}
                written => match written.parse::<jiff::Timestamp>() {
                    Ok(until) => word.until = word.until.max(Some(until.as_millisecond())),
                    Err(_) => word.unknown = Some(written.chars().take(80).collect()),
                },
            }
        }
        word
    }

    /// The suspension that it opens. An end further away than the platform allows opens nothing: so the longest time
    /// holds without anybody having to remember when it began.
    pub(crate) fn opened(&self, namespace: &str, rule: &BreakGlassRule, now: i64) -> Option<BreakGlass> {
        let until = self.until.filter(|until| rule.allow && now < *until && *until - now <= rule.max_for)?;
        let reason = self.reason.chars().take(LONGEST_REASON).collect();
        Some(BreakGlass {
            namespace: Some(namespace.into()),
            until,
            reason,
            by_namespace: true,
            ..BreakGlass::default()
        })
    }

    /// Why what is written opens nothing, if that is so and not because its time is over.
    pub(crate) fn problem(&self, namespace: &str, rule: &BreakGlassRule, now: i64) -> Option<String> {
        let told = |reason: String| Some(format!("{BREAK_GLASS} of namespace {namespace} is not heard: {reason}"));
        match (self.until, &self.unknown) {
            (None, Some(word)) => told(format!("{word:?} is no time such as 20300131T120000Z")),
            (Some(until), _) if now < until && !rule.allow => {
                told("the fleet does not allow it (breakGlass.allow)".into())
            }
            (Some(until), _) if until - now > rule.max_for => {
                told(format!("its end {} is further away than the fleet allows ({})", time(until), rule.told()))
            }
            _ => None,
        }
    }
}

/// The suspension that this Namespace object (JSON) opens.
pub fn of_namespace(name: &str, object: &str, rule: &BreakGlassRule, now: i64) -> Option<BreakGlass> {
    // Cheap and sure: no suspension is without these letters.
    let object = object.contains(BREAK_GLASS).then(|| Value::from_json_str(object).ok()).flatten()?;
    GlassWord::of(&object["metadata"]).opened(name, rule, now)
}

/// What a review changes of break glass on a Namespace: the new word, empty when it was taken off.
pub(crate) fn changed(request: &Value) -> Option<String> {
    let word = |object: &Value| {
        let metadata = &object["metadata"];
        let annotated = text(&metadata["annotations"][BREAK_GLASS]);
        if annotated.is_empty() { text(&metadata["labels"][BREAK_GLASS]) } else { annotated }
    };
    let (new, old) = (word(&request["object"]), word(&request["oldObject"]));
    (new != old).then(|| new.chars().take(80).collect())
}

fn text(value: &Value) -> String {
    value.as_string().map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// `2030-01-31T12:00:00Z`.
fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const HOUR: i64 = 3_600_000;

    fn opened(place: &str, until: &str, allow: bool) -> Option<BreakGlass> {
        let object = format!(r#"{{"metadata": {{"{place}": {{"{BREAK_GLASS}": "{until}"}}}}}}"#);
        of_namespace("shop", &object, &BreakGlassRule { allow, max_for: HOUR }, NOW)
    }

    #[test]
    fn end_within_the_longest_time_opens_it_in_both_forms() {
        for (place, until) in [("labels", "20270115T083000Z"), ("annotations", "2027-01-15T08:30:00Z")] {
            let glass = opened(place, until, true).unwrap();
            assert_eq!((glass.until - NOW, glass.namespace.as_deref()), (HOUR / 2, Some("shop")), "{place}");
            assert!(glass.holds("shop", NOW) && !glass.holds("shop", glass.until) && !glass.holds("bank", NOW));
        }
        assert_eq!(opened("labels", "20270115T083000Z", false), None, "the platform does not allow it");
        assert_eq!(opened("labels", "20270115T090001Z", true), None, "longer than the longest");
        assert_eq!(opened("labels", "20270115T075959Z", true), None, "over");
        assert_eq!(opened("labels", "true", true), None);
    }

    #[test]
    fn what_opens_nothing_is_explained() {
        let rule = BreakGlassRule { allow: true, max_for: HOUR };
        let word = |until, unknown: Option<&str>| GlassWord {
            until,
            unknown: unknown.map(Into::into),
            ..GlassWord::default()
        };
        assert_eq!(word(Some(NOW - 1), None).problem("shop", &rule, NOW), None);
        let problem = |word: GlassWord| word.problem("shop", &rule, NOW).unwrap();
        assert!(problem(word(None, Some("true"))).contains("no time such as"));
        assert!(problem(word(Some(NOW + 2 * HOUR), None)).contains("further away than the fleet allows (1h)"));
    }
}
