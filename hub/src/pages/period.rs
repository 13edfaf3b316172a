//! The period that a page looks at, as its URL says (`?period=day`), with the words for it.

use crate::store::Window;
use crate::store::sums::{HOUR, MINUTE};
use serde::{Deserialize, Deserializer};

/// How far back a page looks. Each number is compared with the period before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Period {
    #[default]
    Hour,
    Day,
    Week,
    Month,
}

impl Period {
    pub(super) const ALL: [Period; 4] = [Period::Hour, Period::Day, Period::Week, Period::Month];

    /// The word in the URL.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Period::Hour => "hour",
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        }
    }

    /// The word on the switch.
    pub(super) fn label(self) -> &'static str {
        match self {
            Period::Hour => "1 hour",
            Period::Day => "24 hours",
            Period::Week => "7 days",
            Period::Month => "30 days",
        }
    }

    /// "this hour".
    pub(super) fn this(self) -> &'static str {
        match self {
            Period::Hour => "this hour",
            Period::Day => "these 24 hours",
            Period::Week => "these 7 days",
            Period::Month => "these 30 days",
        }
    }

    /// "the hour before".
    pub(super) fn before(self) -> &'static str {
        match self {
            Period::Hour => "the hour before",
            Period::Day => "the 24 hours before",
            Period::Week => "the 7 days before",
            Period::Month => "the 30 days before",
        }
    }

    /// The period that ends now, and the one before.
    pub(super) fn window(self, now: i64) -> Window {
        Window::ending_at(now, self.minutes())
    }

    /// Start of the period for the `since` of a list of failures, in Unix milliseconds.
    pub(super) fn since(self, now: i64) -> i64 {
        self.window(now).since * crate::store::MINUTE_MS
    }

    /// How many minutes one bar of the chart holds.
    pub(super) fn bar_minutes(self) -> i64 {
        match self {
            Period::Hour => 2,
            Period::Day => 60,
            Period::Week => 360,
            Period::Month => 24 * 60,
        }
    }

    /// Which sums the chart is drawn from.
    pub(super) fn span(self) -> i64 {
        match self {
            Period::Hour => MINUTE,
            Period::Day | Period::Week | Period::Month => HOUR,
        }
    }

    fn minutes(self) -> i64 {
        match self {
            Period::Hour => 60,
            Period::Day => 24 * 60,
            Period::Week => 7 * 24 * 60,
            Period::Month => 30 * 24 * 60,
        }
    }
}

/// An unknown word is the default, so that an old link still shows a page.
impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(Self::ALL.into_iter().find(|period| period.as_str() == word).unwrap_or_default())
    }
}

/// The part of a URL that chooses the period.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Chosen {
    #[serde(default)]
    pub(super) period: Period,
}
