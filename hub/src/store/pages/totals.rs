//! What the pages' lists are made of: sums of both spans of a window by subject. A window is a handful of pieces (whole
//! days, the hours and minutes beside them), and these at most some hundred buckets; each is one range of the primary
//! key of `sums`. So a list of all policies over a month reads some hundred rows of each, whatever the fleet reported.
//! What was reported a moment ago is added from `recent`, in the same statement, which sees both as of one moment.
//!
//! The joins are written as CROSS JOIN to keep their order: buckets first, then a range of the key for each of them. Where single
//! rows are looked up, all that the key is made of comes from one MATERIALIZED relation: of several, PostgreSQL looks up by some
//! and filters by the others.

use super::Window;
use super::window::PIECES;
use crate::store::sums::Kind;
use std::sync::LazyLock;

/// Parameters that a window takes: its pieces, and from `$41` on its three bounds; others follow from `$44` on.
const BOUND: usize = 4 * PIECES + 3;

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

/// Sums of both spans, of the columns of `s`, which has `is_later` too.
const SUMS: &str = "
    CAST(SUM(CASE WHEN s.is_later = 1 THEN s.judged ELSE 0 END) AS BIGINT) AS judged,
    CAST(SUM(CASE WHEN s.is_later = 1 THEN s.failing ELSE 0 END) AS BIGINT) AS failing,
    CAST(SUM(CASE WHEN s.is_later = 1 THEN s.denied ELSE 0 END) AS BIGINT) AS denied,
    CAST(SUM(CASE WHEN s.is_later = 1 THEN s.errors ELSE 0 END) AS BIGINT) AS errors,
    CAST(SUM(CASE WHEN s.is_later = 1 THEN s.exempted ELSE 0 END) AS BIGINT) AS exempted,
    CAST(SUM(CASE WHEN s.is_later = 0 THEN s.judged ELSE 0 END) AS BIGINT) AS judged_before,
    CAST(SUM(CASE WHEN s.is_later = 0 THEN s.failing ELSE 0 END) AS BIGINT) AS failing_before,
    CAST(SUM(CASE WHEN s.is_later = 0 THEN s.denied ELSE 0 END) AS BIGINT) AS denied_before";

/// What is read of `sums t`.
const READ: &str = "t.judged, t.failing, t.denied, t.errors, t.exempted";

/// The statement with what is common to all: `{SUMS}`, `{OF_KIND}`, `{OF_SUBJECT}`, `{READ}`, `{RECENT}`. It goes on after
/// the last of the common table expressions: with a comma for more of them, or with SELECT.
pub(in crate::store) fn statement(text: &str, kind: Kind) -> String {
    let recent = recent(kind);
    let text = text.replace("{SUMS}", SUMS).replace("{OF_KIND}", &of_kind(kind, ""));
    let text = text.replace("{OF_SUBJECT}", &of_kind(kind, " AND t.subject_id = $45"));
    let text = text.replace("{READ}", READ).replace("{RECENT}", &recent).replace("{KIND}", &number(kind));
    [PIECES_OF_WINDOW.as_str(), SERIES, &text].concat()
}

/// `FROM (...) s`: the sums of this kind, of `$44` (0 where the kind is of nothing), that match.
pub(super) fn of_kind(kind: Kind, matching: &str) -> String {
    let (kind_number, recent) = (number(kind), recent(kind));
    format!(
        "FROM (SELECT p.is_later, t.of_id, t.subject_id, {READ} FROM series p CROSS JOIN sums t
            WHERE t.span = p.span AND t.bucket = p.bucket AND t.kind = {kind_number} AND t.of_id = $44{matching}
            UNION ALL SELECT * FROM ({recent}) t WHERE t.of_id = $44{matching}) s"
    )
}

/// What was counted a moment ago in the window, as sums of this kind.
fn recent(kind: Kind) -> String {
    let ((of, subject), what) = (kind.columns(), kind.what() as i64);
    format!(
        "SELECT CASE WHEN minute >= $42 THEN 1 ELSE 0 END AS is_later, {of} AS of_id, {subject} AS subject_id,
            passes + failures + errors + exempted AS judged, failures + errors AS failing, denials AS denied, errors, exempted
        FROM recent WHERE what = {what} AND minute >= $41 AND minute < $43"
    )
}

fn number(kind: Kind) -> String {
    (kind as i64).to_string()
}

/// `count` places from this one on: `($44, $45)`.
pub(super) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    format!("({})", places.join(", "))
}

/// The values of the pieces of a window, in the order of their parameters.
pub(in crate::store) fn values(window: Window) -> [i64; BOUND] {
    let mut values = [0; BOUND];
    for (place, piece) in values.chunks_exact_mut(4).zip(window.pieces()) {
        place.copy_from_slice(&[i64::from(piece.is_later), piece.span, piece.first, piece.end]);
    }
    values[4 * PIECES..].copy_from_slice(&[window.before, window.since, window.until]);
    values
}

/// Binds the pieces of a window to a query.
macro_rules! with_window {
    ($query:expr, $window:expr) => {
        $crate::store::pages::totals::values($window).into_iter().fold($query, |query, value| query.bind(value))
    };
}
pub(in crate::store) use with_window;
