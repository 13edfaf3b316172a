//! `waves` and `urgent` of the fleet: in which order clusters receive a revision, and what stops it on its way. What is
//! made of it, from what clusters prove and report, is the hub's rollout.

use super::Fleet;
use crate::{Diagnostic, Labels, SourceFile};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// The most waves of a fleet.
const MAX_WAVES: usize = 32;
/// The longest soak, in milliseconds: thirty days.
const LONGEST_SOAK_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Clusters that receive a revision together, after those of the waves before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wave {
    /// What people call it.
    pub name: String,
    /// All of these labels must be there, with these values. A cluster is in the first wave that matches.
    #[serde(rename = "match", default)]
    pub labels: Labels,
    /// How long the wave enforces a revision before the next wave gets it, in milliseconds; written as `10m` or `2h`.
    #[serde(default, serialize_with = "write_time", deserialize_with = "read_time")]
    pub soak: i64,
    /// How many clusters of the wave may be on their way at a time; the rollout halts when as many refused it.
    #[serde(default)]
    pub max_unavailable: Option<Share>,
    /// What halts the rollout in this wave, besides refusals.
    #[serde(default)]
    pub halt_on: HaltOn,
}

/// Bounds on what policies do, against the revision before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HaltOn {
    /// By how much the share of a policy's evaluations that deny may rise.
    #[serde(default)]
    pub deny_rate_rise: Option<Percent>,
    /// By how much the share of a policy's evaluations that err may rise.
    #[serde(default)]
    pub error_rate_rise: Option<Percent>,
}

/// How commits pass that must not wait: those with the trailer `Writ-Rollout: urgent`, and reverts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Urgent {
    /// The longest that a wave is waited for, in milliseconds.
    #[serde(default, serialize_with = "write_time", deserialize_with = "read_time")]
    pub soak: i64,
    /// Whether a commit whose files were rolled out to the end before is urgent: a revert.
    #[serde(default = "yes")]
    pub reverts: bool,
    /// Whether the author of a commit may say so, by the trailer `Writ-Rollout: urgent`.
    #[serde(default = "yes")]
    pub trailer: bool,
}

/// A number of clusters, or a share of those of the wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Clusters(u32),
    /// So many of a hundred, rounded down, but one at least.
    Percent(Percent),
}

/// Hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u32);

impl Default for Urgent {
    fn default() -> Self {
        Self { soak: 0, reverts: true, trailer: true }
    }
}

impl Percent {
    /// As a part of one.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    fn parse(text: &str) -> Option<Self> {
        let number: f64 = text.trim().strip_suffix('%')?.trim_end().parse().ok()?;
        let is_share = number.is_finite() && (0.0..=100.0).contains(&number);
        is_share.then(|| Self((number * 100.0).round() as u32))
    }
}

impl Share {
    /// How many clusters of so many.
    pub fn of(self, clusters: usize) -> usize {
        match self {
            Share::Clusters(number) => number as usize,
            Share::Percent(percent) => ((clusters as f64 * percent.share()) as usize).max(1),
        }
    }
}

impl Fleet {
    /// The wave of a cluster with these labels: the first that matches, and one after the last when none does.
    pub fn wave_of(&self, labels: &Labels) -> usize {
        let matches =
            |wave: &Wave| wave.labels.iter().all(|(key, value)| labels.get(key).is_some_and(|found| found == value));
        self.waves.iter().position(matches).unwrap_or(self.waves.len())
    }

    /// What is wrong with the waves as a whole.
    pub(super) fn check_waves(&self, file: &SourceFile) -> Result<(), Diagnostic> {
        let wrong = |message: String| Diagnostic::error(&file.path, message);
        if self.waves.len() > MAX_WAVES {
            return Err(wrong(format!("the fleet has {} waves, more than {MAX_WAVES}", self.waves.len())));
        }
        let mut names = BTreeSet::new();
        for wave in &self.waves {
            let is_name = !wave.name.trim().is_empty() && wave.name.chars().count() <= 63;
            if !is_name || wave.name.contains(char::is_control) {
                return Err(
                    wrong(format!("`{}` is no name for a wave", wave.name)).help("Write one of 1 to 63 characters.")
                );
            }
            if !names.insert(&wave.name) {
                return Err(wrong(format!("two waves are called `{}`", wave.name)).help("Give each a name of its own."));
            }
            if wave.max_unavailable.is_some_and(|most| most == Share::Clusters(0)) {
                let finding =
                    wrong(format!("`maxUnavailable` of the wave `{}` is 0, so that it would never end", wave.name));
                return Err(finding.help("Write 1 or more, a share such as `25%`, or leave it out."));
            }
        }
        let all = self.waves.iter().position(|wave| wave.labels.is_empty());
        if let Some(after) = all.and_then(|all| self.waves.get(all + 1)) {
            let finding =
                wrong(format!("the wave `{}` is never reached: one before it matches every cluster", after.name));
            return Err(finding.help("Put the wave without `match` last."));
        }
        Ok(())
    }
}

fn yes() -> bool {
    true
}

fn write_time<S: Serializer>(time: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:#}", jiff::SignedDuration::from_millis(*time)))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let milliseconds = text.parse::<jiff::SignedDuration>().ok().and_then(|time| i64::try_from(time.as_millis()).ok());
    let found = milliseconds.filter(|found| (0..=LONGEST_SOAK_MS).contains(found));
    found.ok_or_else(|| D::Error::custom(format!("`{text}` is not a time of at most 30 days such as `10m` or `2h`")))
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 100.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not a share such as `5%`")))
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Share::Clusters(number) => number.serialize(serializer),
            Share::Percent(percent) => percent.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u32),
            Text(String),
        }
        let share = match Written::deserialize(deserializer) {
            Ok(Written::Number(number)) => Some(Share::Clusters(number)),
            Ok(Written::Text(text)) => {
                Percent::parse(&text).map(Share::Percent).or_else(|| text.trim().parse().ok().map(Share::Clusters))
            }
            Err(_) => None,
        };
        share.ok_or_else(|| D::Error::custom("it is not a number of clusters such as `2`, or a share such as `25%`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(waves: &str) -> Result<Fleet, String> {
        let text = format!("apiVersion: writ.dev/v1\nkind: Fleet\n{waves}");
        let fleet = Fleet::parse(&SourceFile { path: "fleet.yaml".into(), text: text.as_str().into() });
        fleet.map_err(|diagnostic| diagnostic.to_string())
    }

    fn labels(key: &str, value: &str) -> Labels {
        Labels::from([(key.into(), value.into())])
    }

    const WAVES: &str = "
waves:
  - {name: canary, match: {ring: \"0\"}, soak: 10m, haltOn: {denyRateRise: 5%, errorRateRise: 0.5%}}
  - {name: early, match: {ring: \"1\"}, maxUnavailable: 25%}
  - {name: rest, maxUnavailable: 2}
urgent: {soak: 30s}
";

    #[test]
    fn cluster_is_in_the_first_wave_that_matches() {
        let fleet = fleet(WAVES).unwrap();
        assert_eq!((fleet.waves[0].soak, fleet.urgent), (600_000, Urgent { soak: 30_000, ..Urgent::default() }));
        let waves =
            [labels("ring", "0"), labels("ring", "1"), labels("env", "prod")].map(|found| fleet.wave_of(&found));
        assert_eq!(waves, [0, 1, 2]);
        let kept: Fleet = serde_json::from_str(&serde_json::to_string(&fleet).unwrap()).unwrap();
        assert_eq!(kept, fleet, "what is stored reads back");
        assert_eq!(Fleet::default().wave_of(&labels("a", "b")), 0);
    }

    #[test]
    fn shares_are_rounded_down_to_one_at_least() {
        let of = |share: &str| serde_json::from_str::<Share>(share).unwrap().of(10);
        assert_eq!(["\"25%\"", "\"1%\"", "\"100%\"", "3", "\"4\""].map(of), [2, 1, 10, 3, 4]);
        let rise: Percent = serde_json::from_str("\"0.5%\"").unwrap();
        assert!((rise.share() - 0.005).abs() < 1e-9);
    }

    #[test]
    fn odd_waves_are_refused_with_the_reason() {
        for (waves, reason) in [
            ("waves: [{name: a}, {name: b}]", "never reached"),
            ("waves: [{name: a, match: {x: y}}, {name: a}]", "two waves"),
            ("waves: [{name: ''}]", "no name"),
            ("waves: [{name: a, soak: 10}]", "10m"),
            ("waves: [{name: a, soak: 31d}]", "30 days"),
            ("waves: [{name: a, maxUnavailable: 0}]", "never end"),
            ("waves: [{name: a, maxUnavailable: many}]", "25%"),
            ("waves: [{name: a, haltOn: {denyRateRise: 5}}]", "5"),
            ("waves: [{name: a, haltOn: {denyRateRise: 500%}}]", "5%"),
            ("waves: [{name: a, haltOn: {deny: 5%}}]", "deny"),
            ("urgent: {soaks: 1m}", "soaks"),
        ] {
            let error = fleet(waves).expect_err(waves);
            assert!(error.contains(reason), "{waves}: {error}");
        }
    }
}
