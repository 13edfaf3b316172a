//! What the pages' lists are made of: sums of both spans of a window by subject. A window is a handful of pieces (whole
//! days, the hours and minutes beside them), and these at most some hundred buckets; each is one range of the primary
//! key of `sums`. So a list of all policies over a month reads some hundred rows of each, whatever the fleet reported.
//!
//! The joins are written as CROSS JOIN to keep their order: buckets first, then a range of the key for each of them.

use super::Window;
use super::window::PIECES;
use std::sync::LazyLock;

/// Parameters that the pieces of a window take; others follow from `$41` on.
const BOUND: usize = 4 * PIECES;

/// `WITH pieces (is_later, span, low, high) AS (VALUES ...)`, and the single buckets of them as `series`.
static PIECES_OF_WINDOW: LazyLock<String> = LazyLock::new(|| {
    let row = |row: usize| {
        let values: Vec<String> = (1..=4).map(|column| format!("CAST(${} AS BIGINT)", row * 4 + column)).collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..PIECES).map(row).collect();
    format!("WITH RECURSIVE pieces (is_later, span, low, high) AS (VALUES {})", rows.join(", "))
});

/// One row per bucket of the pieces.
const SERIES: &str = ",
    series (is_later, span, bucket, high) AS (
        SELECT is_later, span, low, high FROM pieces WHERE low < high
        UNION ALL SELECT is_later, span, bucket + 1, high FROM series WHERE bucket + 1 < high)";

/// Sums of both spans, of the columns of `sums s` beside `is_later`.
const SUMS: &str = "
    CAST(SUM(CASE WHEN is_later = 1 THEN s.judged ELSE 0 END) AS BIGINT) AS judged,
    CAST(SUM(CASE WHEN is_later = 1 THEN s.failing ELSE 0 END) AS BIGINT) AS failing,
    CAST(SUM(CASE WHEN is_later = 1 THEN s.denied ELSE 0 END) AS BIGINT) AS denied,
    CAST(SUM(CASE WHEN is_later = 1 THEN s.errors ELSE 0 END) AS BIGINT) AS errors,
    CAST(SUM(CASE WHEN is_later = 1 THEN s.exempted ELSE 0 END) AS BIGINT) AS exempted,
    CAST(SUM(CASE WHEN is_later = 0 THEN s.judged ELSE 0 END) AS BIGINT) AS judged_before,
    CAST(SUM(CASE WHEN is_later = 0 THEN s.failing ELSE 0 END) AS BIGINT) AS failing_before,
    CAST(SUM(CASE WHEN is_later = 0 THEN s.denied ELSE 0 END) AS BIGINT) AS denied_before";

/// All subjects of the kind `$41` (and policy `$42`, else 0).
const OF_KIND: &str = "
    FROM series p CROSS JOIN sums s
    WHERE s.span = p.span AND s.bucket = p.bucket AND s.kind = $41 AND s.policy_id = $42";

/// One subject.
const OF_SUBJECT: &str = "
    FROM series p CROSS JOIN sums s
    WHERE s.kind = $41 AND s.span = p.span AND s.policy_id = $42 AND s.bucket = p.bucket AND s.subject_id = $43";

/// The statement with what is common to all: `{SUMS}`, `{OF_KIND}`, `{OF_SUBJECT}`. It goes on after the last of the
/// common table expressions: with a comma for more of them, or with SELECT.
pub(super) fn statement(text: &str) -> String {
    let text = text.replace("{SUMS}", SUMS).replace("{OF_KIND}", OF_KIND).replace("{OF_SUBJECT}", OF_SUBJECT);
    [PIECES_OF_WINDOW.as_str(), SERIES, &text].concat()
}

/// `count` places from this one on: `($42, $43)`.
pub(super) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    format!("({})", places.join(", "))
}

/// The values of the pieces of a window, in the order of their parameters.
pub(super) fn values(window: Window) -> [i64; BOUND] {
    let mut values = [0; BOUND];
    for (place, piece) in values.chunks_exact_mut(4).zip(window.pieces()) {
        place.copy_from_slice(&[i64::from(piece.is_later), piece.span, piece.first, piece.end]);
    }
    values
}

/// Binds the pieces of a window to a query.
macro_rules! with_window {
    ($query:expr, $window:expr) => {
        $crate::store::pages::totals::values($window).into_iter().fold($query, |query, value| query.bind(value))
    };
}
pub(super) use with_window;
