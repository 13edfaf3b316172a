//! Numbers as people read them: counts with separators, shares in per cent, and how a number changed.

use askama::filters::HtmlSafe;
use std::fmt;

/// `12,345`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) i64);

/// A part of a whole in per cent, or a dash when there is no whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) part: i64,
    pub(super) whole: i64,
}

/// Which direction people hope for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Fewer is better.
    Less,
    /// Neither is better.
    Neither,
}

/// How a count changed against the time before, as an element that says it in words and in sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    now: i64,
    before: i64,
    wish: Wish,
}

impl HtmlSafe for Count {}
impl HtmlSafe for Share {}
impl HtmlSafe for Change {}

impl Share {
    /// The share in per cent, when there is a whole.
    pub(super) fn percent(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 * 100.0 / self.whole as f64)
    }
}

impl Change {
    pub(super) fn new(now: i64, before: i64, wish: Wish) -> Self {
        Self { now, before, wish }
    }

    fn class(self) -> &'static str {
        match (self.wish, self.now.cmp(&self.before)) {
            (Wish::Less, std::cmp::Ordering::Greater) => "change worse",
            (Wish::Less, std::cmp::Ordering::Less) => "change better",
            _ => "change",
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("−")?;
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.percent() {
            None => f.write_str("–"),
            Some(percent) if percent > 0.0 && percent < 0.1 => f.write_str("&lt; 0.1 %"),
            Some(percent) if percent == 0.0 || percent >= 99.95 => write!(f, "{percent:.0} %"),
            Some(percent) => write!(f, "{percent:.1} %"),
        }
    }
}

/// `▲ 12 more, +25 %`, for a screen reader without the sign.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let difference = self.now - self.before;
        let (sign, word) = match difference {
            0 => return f.write_str(r#"<span class="change">no change</span>"#),
            1.. => ("▲", "more"),
            _ => ("▼", "fewer"),
        };
        let amount = Count(difference.abs());
        write!(f, r#"<span class="{}"><span aria-hidden="true">{sign}</span> {amount} {word}"#, self.class())?;
        if let Some(percent) = (Share { part: difference.abs(), whole: self.before }).percent().filter(|p| *p < 1_000.0)
        {
            write!(f, " ({}{percent:.0} %)", if difference > 0 { "+" } else { "−" })?;
        }
        f.write_str("</span>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(|n| Count(n).to_string()), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(Count(i64::MIN).to_string(), "−9,223,372,036,854,775,808");
    }

    #[test]
    fn share_of_nothing_is_a_dash() {
        let share = |part, whole| Share { part, whole }.to_string();
        assert_eq!(
            [share(0, 0), share(0, 5), share(1, 8), share(1, 5_000), share(5, 5)],
            ["–", "0 %", "12.5 %", "&lt; 0.1 %", "100 %"]
        );
    }

    #[test]
    fn change_says_its_direction_in_words() {
        let change = |now, before| Change::new(now, before, Wish::Less).to_string();
        insta::assert_snapshot!(change(15, 12), @r#"<span class="change worse"><span aria-hidden="true">▲</span> 3 more (+25 %)</span>"#);
        insta::assert_snapshot!(change(9, 12), @r#"<span class="change better"><span aria-hidden="true">▼</span> 3 fewer (−25 %)</span>"#);
        insta::assert_snapshot!(change(3, 0), @r#"<span class="change worse"><span aria-hidden="true">▲</span> 3 more</span>"#);
        insta::assert_snapshot!(change(3, 3), @r#"<span class="change">no change</span>"#);
    }
}
