//! The trend chart: a pure function from minutes and revisions to bars, ticks and pins, drawn by `chart.html` as SVG
//! without scripts. Lengths across are percentages, so that text keeps its size at every width.

use super::figure::Count;
use super::link;
use super::period::Period;
use super::when::{Clock, format};
use crate::app::App;
use crate::movement::{Effect, Reach};
use crate::store::{self, MINUTE_MS, Minute, RevisionLine, Trend, Window};
use askama::Template;

/// Height of the drawing and its place in the image, in pixels; `writ.css` places the axis beside it.
const TOP: f64 = 20.0;
const HEIGHT: f64 = 160.0;
/// Pins closer than this many per cent become one.
const PIN_GAP: f64 = 3.0;
/// Revisions listed below the chart.
const LISTED: usize = 6;
/// The most revisions that are looked at.
const MAX_REVISIONS: i64 = 500;

/// A trend with a marker at each revision, its legend, and the numbers as a table.
#[derive(Template)]
#[template(path = "chart.html")]
pub(super) struct Chart {
    /// What is counted, in the plural: "failing reviews".
    what: &'static str,
    period: Period,
    now: i64,
    bars: Vec<Bar>,
    ticks: Vec<Tick>,
    pins: Vec<Pin>,
    marks: Vec<Mark>,
    more_marks: usize,
    top: i64,
}

impl askama::filters::HtmlSafe for Chart {}

/// One bar: `[start, end)` in Unix milliseconds.
struct Bar {
    start: i64,
    end: i64,
    is_before: bool,
    judged: i64,
    failing: i64,
    denied: i64,
    x: f64,
    width: f64,
    top: i64,
}

struct Tick {
    x: f64,
    label: String,
    anchor: &'static str,
}

struct Pin {
    x: f64,
    label: String,
}

/// A revision in the time of the chart, and how the share of failures was before and after.
struct Mark {
    number: usize,
    line: RevisionLine,
    effect: Effect,
}

impl Chart {
    /// `minutes` in any order, `revisions` by time; what lies outside the window is left out.
    pub(super) fn new(
        what: &'static str,
        period: Period,
        now: i64,
        minutes: &[Minute],
        revisions: Vec<RevisionLine>,
    ) -> Self {
        let window = period.window(now);
        let (bars, top) = bars(window, period.bar_minutes(), minutes);
        let mut marks: Vec<Mark> = revisions
            .into_iter()
            .filter(|line| across(window, line.at).is_some())
            .enumerate()
            .map(|(index, line)| Mark {
                number: index + 1,
                effect: Effect::of(line.at, Reach::by(period.span()), minutes),
                line,
            })
            .collect();
        let pins = pins(window, &marks);
        marks.reverse();
        let more_marks = marks.len().saturating_sub(LISTED);
        marks.truncate(LISTED);
        Self { what, period, now, bars, ticks: ticks(window, period), pins, marks, more_marks, top }
    }

    /// The trend of this period as the store has it.
    pub(super) async fn load(
        app: &App,
        what: &'static str,
        period: Period,
        now: i64,
        trend: Trend<'_>,
    ) -> store::Result<Self> {
        let window = period.window(now);
        // Effects of the first revisions reach back before the chart.
        let first = Reach::by(period.span()).around(window.before * MINUTE_MS).before;
        let (from, until) = (window.before * MINUTE_MS, window.until * MINUTE_MS);
        let (minutes, revisions) = tokio::try_join!(
            app.store.trend(trend, period.span(), first, window.until),
            app.store.revisions_served(from, until, MAX_REVISIONS)
        )?;
        Ok(Self::new(what, period, now, &minutes, revisions))
    }

    /// Whether there is anything to draw.
    pub(super) fn is_empty(&self) -> bool {
        self.bars.iter().all(|bar| bar.judged == 0 && bar.failing == 0)
    }

    fn count(&self, count: &i64) -> Count {
        Count(*count)
    }

    /// The label in the middle of the axis.
    fn half(&self) -> Count {
        Count(self.top / 2)
    }

    fn clock(&self, at: &i64) -> Clock {
        Clock::new(*at, self.now)
    }

    /// "the hour", for the shares before and after a revision.
    fn reach(&self) -> &'static str {
        Reach::by(self.period.span()).label()
    }

    fn total(&self, is_before: bool) -> i64 {
        self.bars.iter().filter(|bar| bar.is_before == is_before).map(|bar| bar.failing).sum()
    }

    /// The text alternative of the image.
    fn alternative(&self) -> String {
        let peak = self.bars.iter().max_by_key(|bar| bar.failing).filter(|bar| bar.failing > 0);
        let peak = peak.map_or(String::new(), |bar| {
            format!(", most at {} ({})", format(bar.start, "%-d %b %H:%M UTC"), bar.failing)
        });
        format!(
            "Trend of {}: {} in {}, {} in {}{peak}. {} revisions were served in this time.",
            self.what,
            Count(self.total(false)),
            self.period.this(),
            Count(self.total(true)),
            self.period.before(),
            self.marks.len() + self.more_marks,
        )
    }
}

impl Pin {
    fn width(&self) -> usize {
        9 + 7 * self.label.chars().count()
    }

    fn left(&self) -> String {
        format!("-{:.1}", self.width() as f64 / 2.0)
    }
}

impl Bar {
    fn denied_height(&self) -> f64 {
        HEIGHT * self.denied as f64 / self.top as f64
    }

    fn other_height(&self) -> f64 {
        HEIGHT * (self.failing - self.denied).max(0) as f64 / self.top as f64
    }

    fn denied_y(&self) -> f64 {
        TOP + HEIGHT - self.denied_height()
    }

    fn other_y(&self) -> f64 {
        self.denied_y() - self.other_height()
    }

    fn span(&self) -> String {
        let is_long = self.end - self.start > 12 * 60 * MINUTE_MS;
        let end = if is_long { "%-d %b %H:%M UTC" } else { "%H:%M UTC" };
        format!("{} to {}", format(self.start, "%-d %b %H:%M"), format(self.end, end))
    }
}

fn bars(window: Window, step: i64, minutes: &[Minute]) -> (Vec<Bar>, i64) {
    let count = (window.until - window.before) / step;
    let slot = 100.0 / count as f64;
    let mut bars: Vec<Bar> = (0..count)
        .map(|index| Bar {
            start: (window.before + index * step) * MINUTE_MS,
            end: (window.before + (index + 1) * step) * MINUTE_MS,
            is_before: index < count / 2,
            judged: 0,
            failing: 0,
            denied: 0,
            x: index as f64 * slot,
            width: slot,
            top: 1,
        })
        .collect();
    for minute in minutes.iter().filter(|minute| (window.before..window.until).contains(&minute.minute)) {
        let bar = &mut bars[((minute.minute - window.before) / step) as usize];
        bar.judged += minute.judged;
        bar.failing += minute.failing;
        bar.denied += minute.denied;
    }
    let top = round_top(bars.iter().map(|bar| bar.failing.max(bar.denied)).max().unwrap_or(0));
    bars.iter_mut().for_each(|bar| bar.top = top);
    (bars, top)
}

/// The smallest of 2, 4, 6, 8, 10, 20, 40, ... that holds the value, so that half of it is a whole number.
fn round_top(value: i64) -> i64 {
    let mut unit = 1_i64;
    loop {
        if let Some(step) = [2, 4, 6, 8, 10].into_iter().find(|step| step * unit >= value) {
            return step * unit;
        }
        unit = unit.saturating_mul(10);
    }
}

/// Labels at round times of day.
fn ticks(window: Window, period: Period) -> Vec<Tick> {
    let (every, form) = match period {
        Period::Hour => (30, "%H:%M"),
        Period::Day => (12 * 60, "%-d %b %H:%M"),
        Period::Week => (3 * 24 * 60, "%-d %b"),
        Period::Month => (10 * 24 * 60, "%-d %b"),
    };
    let first = (window.before + every - 1).div_euclid(every) * every;
    (first..window.until)
        .step_by(every as usize)
        .map(|minute| {
            let x = 100.0 * (minute - window.before) as f64 / (window.until - window.before) as f64;
            let anchor = if x < 6.0 {
                "start"
            } else if x > 94.0 {
                "end"
            } else {
                "middle"
            };
            Tick { x, label: format(minute * MINUTE_MS, form), anchor }
        })
        .collect()
}

/// Where a moment lies across the chart, in per cent.
fn across(window: Window, at: i64) -> Option<f64> {
    let (start, end) = (window.before * MINUTE_MS, window.until * MINUTE_MS);
    (start..end).contains(&at).then(|| 100.0 * (at - start) as f64 / (end - start) as f64)
}

/// One pin per revision; those too close to tell apart share one.
fn pins(window: Window, marks: &[Mark]) -> Vec<Pin> {
    let mut groups: Vec<(f64, usize, usize)> = Vec::new();
    for mark in marks {
        let Some(x) = across(window, mark.line.at) else { continue };
        match groups.last_mut() {
            Some((first, _, last)) if x - *first < PIN_GAP => *last = mark.number,
            _ => groups.push((x, mark.number, mark.number)),
        }
    }
    let label = |first, last| if first == last { format!("{first}") } else { format!("{first}–{last}") };
    groups.into_iter().map(|(x, first, last)| Pin { x, label: label(first, last) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 30_000_000 * MINUTE_MS + 30_000;

    fn minute(ago: i64, judged: i64, failing: i64, denied: i64) -> Minute {
        Minute { minute: 30_000_000 - ago, judged, failing, denied }
    }

    fn revision(ago: i64) -> RevisionLine {
        RevisionLine {
            revision: format!("{ago:040}"),
            author: "Ada".into(),
            message: "Require probes".into(),
            at: NOW - ago * MINUTE_MS,
        }
    }

    fn chart(minutes: &[Minute], revisions: Vec<RevisionLine>) -> Chart {
        Chart::new("failures", Period::Hour, NOW, minutes, revisions)
    }

    #[test]
    fn both_halves_of_the_bars_sum_to_both_hours() {
        let chart = chart(
            &[
                minute(0, 10, 3, 1),
                minute(59, 10, 4, 0),
                minute(60, 10, 5, 0),
                minute(119, 1, 1, 1),
                minute(120, 9, 9, 9),
            ],
            vec![],
        );
        assert_eq!((chart.total(false), chart.total(true)), (7, 6));
        assert_eq!(chart.bars.len(), 60);
        assert_eq!(chart.bars.iter().map(|bar| bar.denied).sum::<i64>(), 2);
    }

    #[test]
    fn top_of_the_axis_holds_the_highest_bar_and_halves_evenly() {
        assert_eq!([0, 1, 3, 9, 10, 11, 99, 401].map(round_top), [2, 2, 4, 10, 10, 20, 100, 600]);
    }

    #[test]
    fn revisions_close_together_share_a_pin() {
        let chart = chart(&[], vec![revision(100), revision(30), revision(29), revision(2)]);
        assert_eq!(chart.pins.iter().map(|pin| pin.label.as_str()).collect::<Vec<_>>(), ["1", "2–3", "4"]);
        assert_eq!(chart.marks[0].number, 4, "the newest is listed first");
    }

    #[test]
    fn many_revisions_are_counted_and_the_newest_listed() {
        let chart = chart(&[], (0..50).rev().map(revision).collect());
        assert_eq!((chart.marks.len(), chart.more_marks), (LISTED, 44));
    }
}
