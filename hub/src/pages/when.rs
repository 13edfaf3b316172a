//! Times as people read them: "3 min ago" with the exact UTC time in `datetime` and `title`. Pure: `now` is given.

use askama::filters::HtmlSafe;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment, as a `<time>` element that says how long ago it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    at: i64,
    now: i64,
}

/// A moment, as a `<time>` element that says the time of day, and the date unless it is today.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    at: i64,
    now: i64,
}

impl When {
    pub(super) fn new(at: i64, now: i64) -> Self {
        Self { at, now }
    }
}

impl Clock {
    pub(super) fn new(at: i64, now: i64) -> Self {
        Self { at, now }
    }
}

impl HtmlSafe for When {}
impl HtmlSafe for Clock {}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = relative(self.at, self.now);
        write!(f, r#"<time datetime="{}" title="{}">{said}</time>"#, iso(self.at), utc(self.at))
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let today = format(self.at, "%F") == format(self.now, "%F");
        let said = format(self.at, if today { "%T" } else { "%-d %b %T" });
        write!(f, r#"<time datetime="{}" title="{}">{said}</time>"#, iso(self.at), utc(self.at))
    }
}

/// `21 Nov 2026, 06:42:08 UTC`.
pub(super) fn utc(at: i64) -> String {
    format(at, "%-d %b %Y, %T UTC")
}

/// The time in this `strftime` form, in UTC. A time that no calendar holds is a dash.
pub(super) fn format(at: i64, form: &str) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(timestamp) => timestamp.to_zoned(TimeZone::UTC).strftime(form).to_string(),
        Err(_) => "–".to_owned(),
    }
}

/// A length of time with the unit that fits it: `85 ms`, `4.2 s`, `3 min`, `5 h`, `2 d`.
pub(super) fn duration(ms: i64) -> String {
    match ms {
        ..SECOND => format!("{ms} ms"),
        SECOND..10_000 => format!("{:.1} s", ms as f64 / SECOND as f64),
        10_000..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..HOUR => format!("{} min", ms / MINUTE),
        HOUR..DAY => format!("{} h", ms / HOUR),
        DAY.. => format!("{} d", ms / DAY),
    }
}

fn iso(at: i64) -> String {
    format(at, "%FT%TZ")
}

/// Clocks of agents and hub differ a little, so the near future is "just now".
fn relative(at: i64, now: i64) -> String {
    let age = now.saturating_sub(at);
    match age {
        ..=-5_000 => format!("in {}", duration(age.saturating_neg())),
        -4_999..5_000 => "just now".to_owned(),
        5_000..604_800_000 => format!("{} ago", duration(age.max(10_000) / SECOND * SECOND)),
        _ => format(at, "%-d %b %Y"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_243_328_000; // 2026-11-21 06:42:08 UTC

    #[test]
    fn relative_time_uses_the_unit_that_fits() {
        for (age, expected) in [
            (0, "just now"),
            (-3_000, "just now"),
            (-90_000, "in 1 min"),
            (42_000, "42 s ago"),
            (3 * MINUTE, "3 min ago"),
            (5 * HOUR, "5 h ago"),
            (2 * DAY, "2 d ago"),
            (8 * DAY, "13 Nov 2026"),
        ] {
            assert_eq!(relative(NOW - age, NOW), expected);
        }
    }

    #[test]
    fn element_carries_the_exact_time_in_utc() {
        insta::assert_snapshot!(
            When::new(NOW - 3 * MINUTE, NOW),
            @r#"<time datetime="2026-11-21T06:39:08Z" title="21 Nov 2026, 06:39:08 UTC">3 min ago</time>"#
        );
        insta::assert_snapshot!(
            Clock::new(NOW - DAY, NOW),
            @r#"<time datetime="2026-11-20T06:42:08Z" title="20 Nov 2026, 06:42:08 UTC">20 Nov 06:42:08</time>"#
        );
    }

    #[test]
    fn time_beyond_every_calendar_is_a_dash() {
        assert_eq!(format(i64::MAX, "%F"), "–");
    }

    #[test]
    fn durations_are_short() {
        let said = [85, 4_230, 42_000, 3 * MINUTE, 5 * HOUR, 2 * DAY].map(duration);
        assert_eq!(said, ["85 ms", "4.2 s", "42 s", "3 min", "5 h", "2 d"]);
    }
}
