//! Folding without leaving the server: what is taken, added up and added to is one statement. The rows of a second would
//! take longer to travel to the hub and back than to be added up where they are.

use crate::store::fold::{Folded, ROLL_UP};
use crate::store::sums::{ADD, Kind};
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::LazyLock;

/// Policy by policy, as sums and rollups lie: a piece changes few of their pages, each of them often.
const TAKE: &str = "WITH taken AS MATERIALIZED (
        DELETE FROM recent WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM recent ORDER BY policy_id < $2, policy_id, namespace_id LIMIT $1))
        RETURNING what, minute, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials, warnings, dryruns,
            errors, exempted, micros, micros_max)";
const ROLLED_UP: &str = "
    SELECT span, minute / span, policy_id, namespace_id, cluster_id, revision_id, SUM(passes), SUM(failures), SUM(denials),
        SUM(warnings), SUM(dryruns), SUM(errors), SUM(exempted), SUM(micros), MAX(micros_max)
    FROM taken CROSS JOIN (VALUES (60::bigint), (1440)) AS spans (span) WHERE what = 1
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 ";
const SUMMED: &str = "SUM(passes + failures + errors + exempted), SUM(failures + errors), SUM(denials), SUM(warnings), \
     SUM(errors), SUM(exempted), SUM(micros), MAX(micros_max)";
/// Grouping makes millions of rows a minute when much is reported, which belongs in memory.
const MEMORY: &str = "SET LOCAL work_mem = '64MB'";

static FOLD: LazyLock<String> = LazyLock::new(|| {
    let sums: Vec<String> = Kind::ALL.iter().map(|kind| summed(*kind)).collect();
    format!(
        "{TAKE}, rolled_up AS ({} {ROLLED_UP} {}),
         added AS ({} SELECT * FROM ({}) AS sums_of_all ORDER BY 1, 2, 3, 4, 5 {})
         SELECT COUNT(*), (SELECT policy_id FROM taken ORDER BY policy_id < $2 DESC, policy_id DESC LIMIT 1) FROM taken",
        ROLL_UP.into,
        ROLL_UP.on_conflict,
        ADD.into,
        sums.join(" UNION ALL "),
        ADD.on_conflict
    )
});

/// The sums of one kind in all spans.
fn summed(kind: Kind) -> String {
    let (of, subject) = kind.columns();
    let (number, what) = (kind as i64, kind.what() as i64);
    let spans: Vec<String> = kind.spans().iter().map(|span| format!("({span}::bigint)")).collect();
    let spans = spans.join(", ");
    format!(
        "SELECT span, minute / span, {number}::bigint, {of}::bigint, {subject}::bigint, {SUMMED} FROM taken
         CROSS JOIN (VALUES {spans}) AS spans (span) WHERE what = {what} GROUP BY 1, 2, 3, 4, 5"
    )
}

/// Folds at most so many counts, from this policy on.
pub(in crate::store) async fn fold(connection: &mut PgConnection, most: i64, from: i64) -> sqlx::Result<Folded> {
    sqlx::query(MEMORY).execute(&mut *connection).await?;
    let query = sqlx::query_as(AssertSqlSafe(FOLD.as_str())).bind(most).bind(from);
    let (rows, last): (i64, Option<i64>) = query.fetch_one(connection).await?;
    Ok(Folded { rows: usize::try_from(rows).unwrap_or_default(), next: last.unwrap_or(from) })
}
