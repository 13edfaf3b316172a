//! What the pages' lists are made of: sums of both spans of a window by subject. A window is a handful of pieces (whole
//! weeks, the days, hours and minutes beside them), and these a few dozen buckets; each is one range of the primary
//! key of `sums`. So a list of all policies over a month reads a few dozen rows of each, whatever the fleet reported.
//! What was reported a moment ago is added from `recent`, in the same statement, which sees both as of one moment.
//! A piece may be taken off: fifty-five minutes are an hour less five minutes.
//!
//! The joins are written as CROSS JOIN to keep their order: buckets first, then a range of the key for each of them. Where single
//! rows are looked up, all that the key is made of comes from one MATERIALIZED relation: of several, PostgreSQL looks up by some
//! and filters by the others.

use super::Window;
use super::window::PIECES;
use crate::store::Store;
use crate::store::sums::Kind;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};
use std::sync::LazyLock;

/// Parameters that a window takes: its pieces, and from `$91` on its three bounds; others follow from `$94` on.
const BOUND: usize = WIDTH * PIECES + 3;
/// Columns of a piece.
const WIDTH: usize = 5;

/// `WITH pieces (later, earlier, span, low, high) AS (VALUES ...)`, and the single buckets of them as `series`.
static PIECES_OF_WINDOW: LazyLock<String> = LazyLock::new(|| {
    let row = |row: usize| {
        let values: Vec<String> =
            (1..=WIDTH).map(|column| format!("CAST(${} AS BIGINT)", row * WIDTH + column)).collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..PIECES).map(row).collect();
    format!("WITH RECURSIVE pieces (later, earlier, span, low, high) AS (VALUES {})", rows.join(", "))
});

/// One row per bucket of the pieces.
const SERIES: &str = ",
    series (later, earlier, span, bucket, high) AS (
        SELECT later, earlier, span, low, high FROM pieces WHERE low < high
        UNION ALL SELECT later, earlier, span, bucket + 1, high FROM series WHERE bucket + 1 < high)";

/// Sums of both spans, of the columns of `s`, which says too what a row counts for in each.
static SUMS: LazyLock<String> = LazyLock::new(|| {
    let sum = |column: &str, span: &str, name: &str| {
        format!("COALESCE(CAST(SUM(s.{column} * s.{span}) FILTER (WHERE s.{span} <> 0) AS BIGINT), 0) AS {name}")
    };
    let later = ["judged", "failing", "denied", "errors", "exempted"].map(|column| sum(column, "later", column));
    let earlier = ["judged", "failing", "denied"].map(|column| sum(column, "earlier", &format!("{column}_before")));
    [later.join(", "), earlier.join(", ")].join(", ")
});

/// What is read of `sums t`.
const READ: &str = "t.judged, t.failing, t.denied, t.errors, t.exempted";

/// The statement with what is common to all: `{SUMS}`, `{OF_KIND}`, `{OF_SUBJECT}`, `{READ}`, `{RECENT}`. It goes on after
/// the last of the common table expressions: with a comma for more of them, or with SELECT.
pub(in crate::store) fn statement(text: &str, kind: Kind) -> String {
    let recent = recent(kind);
    let text = text.replace("{SUMS}", &SUMS).replace("{OF_KIND}", &of_kind(kind, ""));
    let text = text.replace("{OF_SUBJECT}", &of_kind(kind, " AND t.subject_id = $95"));
    let text = text.replace("{READ}", READ).replace("{RECENT}", &recent).replace("{KIND}", &number(kind));
    [PIECES_OF_WINDOW.as_str(), SERIES, &text].concat()
}

/// `FROM (...) s`: the sums of this kind, of `$94` (0 where the kind is of nothing), that match.
pub(super) fn of_kind(kind: Kind, matching: &str) -> String {
    let (kind_number, recent) = (number(kind), recent(kind));
    format!(
        "FROM (SELECT p.later, p.earlier, t.of_id, t.subject_id, {READ} FROM series p CROSS JOIN sums t
            WHERE t.span = p.span AND t.bucket = p.bucket AND t.kind = {kind_number} AND t.of_id = $94{matching}
            UNION ALL SELECT * FROM ({recent}) t WHERE t.of_id = $94{matching}) s"
    )
}

/// What was counted a moment ago in the window, as sums of this kind.
fn recent(kind: Kind) -> String {
    let ((of, subject), what) = (kind.columns(), kind.what() as i64);
    format!(
        "SELECT CASE WHEN minute >= $92 THEN 1 ELSE 0 END AS later, CASE WHEN minute < $92 THEN 1 ELSE 0 END AS earlier, {of} AS of_id, {subject} AS subject_id,
            passes + failures + errors + exempted AS judged, failures + errors AS failing, denials AS denied, errors, exempted
        FROM recent WHERE what = {what} AND minute >= $91 AND minute < $93"
    )
}

fn number(kind: Kind) -> String {
    (kind as i64).to_string()
}

/// `count` places from this one on: `($94, $95)`.
pub(super) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    format!("({})", places.join(", "))
}

/// The values of the pieces of a window as this kind has them, in the order of their parameters.
pub(in crate::store) fn values(window: Window, kind: Kind) -> [i64; BOUND] {
    let mut values = [0; BOUND];
    for (place, piece) in values.chunks_exact_mut(WIDTH).zip(window.pieces(kind.spans())) {
        place.copy_from_slice(&[piece.later, piece.earlier, piece.span, piece.first, piece.end]);
    }
    values[WIDTH * PIECES..].copy_from_slice(&[window.before, window.since, window.until]);
    values
}

/// Binds the pieces of a window to a query.
macro_rules! with_window {
    ($query:expr, $window:expr, $kind:expr) => {
        $crate::store::pages::totals::values($window, $kind).into_iter().fold($query, |query, value| query.bind(value))
    };
}
pub(in crate::store) use with_window;

/// PostgreSQL takes groups in any order when it thinks them few, by sorting what is grouped; there are fifty thousand rows.
const GROUP_BY_HASH: &str = "SET LOCAL enable_sort = off";

/// The rows of a list of many subjects: the window, and these values after it.
pub(super) async fn listed<R>(
    store: &Store,
    text: String,
    (window, kind): (Window, Kind),
    values: &[i64],
) -> sqlx::Result<Vec<R>>
where
    R: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
{
    let text = AssertSqlSafe(text);
    match store {
        Store::Sqlite { readers, .. } => {
            let query = with_window!(sqlx::query_as(text), window, kind);
            values.iter().fold(query, |query, value| query.bind(*value)).fetch_all(readers).await
        }
        Store::Postgres { readers, .. } => {
            let mut transaction = readers.begin().await?;
            sqlx::query(GROUP_BY_HASH).execute(&mut *transaction).await?;
            let query = with_window!(sqlx::query_as(text), window, kind);
            let query = values.iter().fold(query, |query, value| query.bind(*value));
            let rows = query.fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(rows)
        }
    }
}
