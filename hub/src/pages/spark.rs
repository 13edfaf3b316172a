//! The smallest chart: failing reviews of two hours in bars of five minutes, the hour before in a paler tone.

use askama::filters::HtmlSafe;
use std::fmt;

const WIDTH: usize = 120;
const HEIGHT: i64 = 26;

/// One bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) failing: i64,
    pub(super) denied: i64,
}

/// Bars over time as an SVG image with a text alternative. The first half is the time before.
#[derive(Debug, Clone)]
pub(super) struct Spark(pub(super) Vec<Tick>);

impl HtmlSafe for Spark {}

impl fmt::Display for Spark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let top = self.0.iter().map(|tick| tick.failing).max().unwrap_or(0).max(1);
        let step = WIDTH / self.0.len().max(1);
        write!(
            f,
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Failing reviews over two hours, at most {top} in five minutes"><line class="base" x1="0" x2="{WIDTH}" y1="{y}" y2="{y}"/>"#,
            y = HEIGHT as f64 - 0.5
        )?;
        for (index, tick) in self.0.iter().enumerate().filter(|(_, tick)| tick.failing > 0) {
            let x = index * step;
            let before = if index < self.0.len() / 2 { r#" class="is-before""# } else { "" };
            let denied = height(tick.denied, top);
            let rest = (height(tick.failing, top) - denied).max(0.0);
            let foot = HEIGHT as f64 - 1.0;
            write!(f, "<g{before}>")?;
            bar(f, "bar-fail", x, foot - denied - rest, step - 1, rest)?;
            bar(f, "bar-deny", x, foot - denied, step - 1, denied)?;
            f.write_str("</g>")?;
        }
        f.write_str("</svg>")
    }
}

fn bar(f: &mut fmt::Formatter<'_>, class: &str, x: usize, y: f64, width: usize, height: f64) -> fmt::Result {
    if height <= 0.0 {
        return Ok(());
    }
    write!(f, r#"<rect class="{class}" x="{x}" y="{y:.1}" width="{width}" height="{height:.1}"/>"#)
}

/// At least 1.5 for what is not nothing, so that it is seen.
fn height(value: i64, top: i64) -> f64 {
    if value <= 0 { 0.0 } else { ((HEIGHT - 2) as f64 * value as f64 / top as f64).max(1.5) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_an_empty_line() {
        assert!(!Spark(vec![Tick::default(); 24]).to_string().contains("<rect"));
        assert!(!Spark(Vec::new()).to_string().contains("<rect"));
    }

    #[test]
    fn bars_grow_from_the_base_and_the_first_half_is_paler() {
        let mut ticks = vec![Tick::default(); 24];
        ticks[0] = Tick { failing: 5, denied: 0 };
        ticks[23] = Tick { failing: 10, denied: 10 };
        let svg = Spark(ticks).to_string();
        assert!(
            svg.contains(r#"<g class="is-before"><rect class="bar-fail" x="0" y="13.0" width="4" height="12.0"/>"#),
            "{svg}"
        );
        assert!(svg.contains(r#"<g><rect class="bar-deny" x="115" y="1.0" width="4" height="24.0"/>"#), "{svg}");
    }
}
