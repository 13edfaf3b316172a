//! What policies did in some clusters, by a revision and by those before it, from the sums by hour.

use super::{Store, bulk, placeholders};
use crate::rollout::rate::{Judged, Tally};
use std::collections::BTreeMap;

/// Evaluations from an hour on, apart by whether this revision judged; those that are not folded yet are among them. Before
/// it, a day is looked at.
const TALLIES: &str = "
    SELECT policy.name, CASE WHEN revision.name = $1 THEN 1 ELSE 0 END AS is_after,
        CAST(SUM(counted.passes + counted.failures + counted.errors + counted.exempted) AS BIGINT),
        CAST(SUM(counted.denials) AS BIGINT), CAST(SUM(counted.errors) AS BIGINT)
    FROM (SELECT bucket, cluster_id, policy_id, revision_id, passes, failures, denials, errors, exempted
            FROM rollups WHERE span = 60 AND bucket >= $2
        UNION ALL
        SELECT minute / 60, cluster_id, policy_id, revision_id, passes, failures, denials, errors, exempted
            FROM recent WHERE what = 1) AS counted
    JOIN names AS policy ON policy.id = counted.policy_id
    JOIN names AS revision ON revision.id = counted.revision_id
    WHERE counted.bucket >= $2 AND (revision.name <> $1 OR counted.bucket >= $3) AND counted.cluster_id IN ";
const GROUP: &str = " GROUP BY policy.name, is_after ORDER BY policy.name, is_after";
/// Clusters of one statement.
const PIECE: usize = 500;
const HOUR_MS: i64 = 3_600_000;
const DAY: i64 = 24;

impl Store {
    /// What each policy did in these clusters by this revision since then, and by others in the day before.
    pub async fn tallies(&self, clusters: &[i64], revision: &str, since: i64) -> sqlx::Result<Vec<Judged>> {
        let hour = since.div_euclid(HOUR_MS);
        let mut policies: BTreeMap<String, Judged> = BTreeMap::new();
        for piece in bulk::pieces(clusters, PIECE) {
            // The first three are bound apart.
            let places = placeholders(1, piece.len() + 3).replacen("($1, $2, $3, ", "(", 1);
            let text = [TALLIES, &places, GROUP].concat();
            let rows: Vec<(String, i32, i64, i64, i64)> = on!(self, |pool| {
                let query = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(revision).bind(hour - DAY).bind(hour);
                piece.iter().fold(query, |query, cluster| query.bind(*cluster)).fetch_all(pool).await
            })?;
            for (policy, is_after, evaluations, denials, errors) in rows {
                let judged = policies.entry(policy).or_insert_with_key(|policy| Judged {
                    policy: policy.clone(),
                    before: Tally::default(),
                    after: Tally::default(),
                });
                let side = if is_after == 1 { &mut judged.after } else { &mut judged.before };
                side.add(Tally { evaluations, denials, errors });
            }
        }
        Ok(policies.into_values().collect())
    }
}
