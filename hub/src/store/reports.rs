//! Reports, exactly once: the cursor of a boot moves in the transaction of the rows.

use super::{Tx, placeholders};
use crate::access::Agent;
use std::collections::{BTreeSet, HashMap};
use writ_policy::NamespaceName;
use writ_policy::wire::{Failure, PolicyCount, Report, ReviewCount};

/// Of all agents that the cluster ever had: one that enrolls anew sends on what it spooled before.
const CURSOR: &str = "
    SELECT MAX(cursors.sequence) FROM cursors JOIN agents ON agents.id = cursors.agent_id
    WHERE cursors.boot = $1 AND agents.cluster_id = $2";
const MOVE_CURSOR: &str = "
    INSERT INTO cursors (agent_id, boot, sequence, received_at, dropped) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (agent_id, boot) DO UPDATE SET sequence = excluded.sequence, received_at = excluded.received_at,
        dropped = cursors.dropped + excluded.dropped";

const SAVE_FAILURES: (&str, &str) = (
    "INSERT INTO failures (id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action, outcome,
        message, kind_id, object, object_uid, workload, operation, requester, review, revision_id, exemption, implied, child,
        because) VALUES ",
    " ON CONFLICT (id) DO NOTHING",
);
const ADD_POLICY_COUNTS: (&str, &str) = (
    "INSERT INTO policy_minutes (minute, cluster_id, namespace_id, policy_id, passes, failures, denials, errors,
        exempted, micros) VALUES ",
    " ON CONFLICT (minute, cluster_id, namespace_id, policy_id) DO UPDATE SET
        passes = policy_minutes.passes + excluded.passes, failures = policy_minutes.failures + excluded.failures,
        denials = policy_minutes.denials + excluded.denials, errors = policy_minutes.errors + excluded.errors,
        exempted = policy_minutes.exempted + excluded.exempted, micros = policy_minutes.micros + excluded.micros",
);
const ADD_REVIEW_COUNTS: (&str, &str) = (
    "INSERT INTO review_minutes (minute, cluster_id, namespace_id, reviews, failing, denied) VALUES ",
    " ON CONFLICT (minute, cluster_id, namespace_id) DO UPDATE SET
        reviews = review_minutes.reviews + excluded.reviews, failing = review_minutes.failing + excluded.failing,
        denied = review_minutes.denied + excluded.denied",
);
/// Rows of one statement: 23 values each stay far below the 32,766 that SQLite binds.
const CHUNK: usize = 200;

/// The numbers of the names in a report.
type Names<'n> = HashMap<&'n str, i64>;

impl Tx {
    /// How far the reports of this boot are stored.
    pub async fn cursor(&mut self, agent: &Agent, boot: &str) -> sqlx::Result<Option<i64>> {
        on!(tx self, |connection| sqlx::query_scalar(CURSOR)
            .bind(boot)
            .bind(agent.cluster_id)
            .fetch_one(connection)
            .await)
    }

    /// Stores the rows of a report and moves the cursor past it.
    pub async fn save_report(&mut self, agent: &Agent, report: &Report, now: i64) -> sqlx::Result<()> {
        let names = self.intern_all(&names_of(report)).await?;
        for failures in report.failures.chunks(CHUNK) {
            self.save_failures(agent, failures, &names, now).await?;
        }
        for counts in report.policy_counts.chunks(CHUNK) {
            self.add_policy_counts(agent, counts, &names).await?;
        }
        for counts in report.review_counts.chunks(CHUNK) {
            self.add_review_counts(agent, counts, &names).await?;
        }
        on!(tx self, |connection| sqlx::query(MOVE_CURSOR)
            .bind(agent.id.as_str())
            .bind(report.boot.to_string())
            .bind(report.sequence as i64)
            .bind(now)
            .bind(report.dropped as i64)
            .execute(connection)
            .await
            .map(drop))
    }

    async fn save_failures(
        &mut self,
        agent: &Agent,
        failures: &[Failure],
        names: &Names<'_>,
        now: i64,
    ) -> sqlx::Result<()> {
        let text = rows(SAVE_FAILURES, failures.len(), 23);
        on!(tx self, |connection| {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
            for failure in failures {
                query = query
                    .bind(failure.id.to_string())
                    .bind(failure.at)
                    .bind(now)
                    .bind(agent.cluster_id)
                    .bind(names[namespace(&failure.namespace)])
                    .bind(names[failure.policy.as_str()])
                    .bind(failure.code.as_str())
                    .bind(failure.severity.map_or("", |severity| severity.as_str()))
                    .bind(failure.action.as_str())
                    .bind(failure.outcome.as_str())
                    .bind(failure.message.as_str())
                    .bind(names[failure.kind.as_str()])
                    .bind(failure.name.as_str())
                    .bind(failure.uid.as_str())
                    .bind(failure.workload.as_str())
                    .bind(failure.operation.as_str())
                    .bind(failure.user.as_str())
                    .bind(failure.review.as_str())
                    .bind(names[failure.revision.as_str()])
                    .bind(failure.exemption.as_deref().unwrap_or_default())
                    .bind(i64::from(failure.implied))
                    .bind(i64::from(failure.child))
                    .bind(failure.because.as_str());
            }
            query.execute(connection).await.map(drop)
        })
    }

    async fn add_policy_counts(
        &mut self,
        agent: &Agent,
        counts: &[PolicyCount],
        names: &Names<'_>,
    ) -> sqlx::Result<()> {
        // One row may be there twice (two revisions in one minute), and a statement may touch a row only once.
        for counts in distinct(counts, |count| (count.minute, count.namespace.clone(), count.policy.clone())) {
            let text = rows(ADD_POLICY_COUNTS, counts.len(), 10);
            on!(tx self, |connection| {
                let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
                for count in counts {
                    query = query
                        .bind(count.minute)
                        .bind(agent.cluster_id)
                        .bind(names[namespace(&count.namespace)])
                        .bind(names[count.policy.as_str()])
                        .bind(count.passes as i64)
                        .bind(count.failures as i64)
                        .bind(count.denials as i64)
                        .bind(count.errors as i64)
                        .bind(count.exempted as i64)
                        .bind(count.micros as i64);
                }
                query.execute(connection).await
            })?;
        }
        Ok(())
    }

    async fn add_review_counts(
        &mut self,
        agent: &Agent,
        counts: &[ReviewCount],
        names: &Names<'_>,
    ) -> sqlx::Result<()> {
        for counts in distinct(counts, |count| (count.minute, count.namespace.clone())) {
            let text = rows(ADD_REVIEW_COUNTS, counts.len(), 6);
            on!(tx self, |connection| {
                let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
                for count in counts {
                    query = query
                        .bind(count.minute)
                        .bind(agent.cluster_id)
                        .bind(names[namespace(&count.namespace)])
                        .bind(count.reviews as i64)
                        .bind(count.failing as i64)
                        .bind(count.denied as i64);
                }
                query.execute(connection).await
            })?;
        }
        Ok(())
    }
}

/// Every name that the rows mean by its number.
fn names_of(report: &Report) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for failure in &report.failures {
        names.extend([failure.policy.as_str(), &failure.kind, failure.revision.as_str()]);
        names.insert(namespace(&failure.namespace));
    }
    for count in &report.policy_counts {
        names.extend([namespace(&count.namespace), count.policy.as_str()]);
    }
    names.extend(report.review_counts.iter().map(|count| namespace(&count.namespace)));
    names
}

/// The name of a namespace; cluster-scoped objects have the empty one.
fn namespace(name: &Option<NamespaceName>) -> &str {
    name.as_ref().map_or("", NamespaceName::as_str)
}

/// The rows in groups that hold each key once.
fn distinct<T, K: std::hash::Hash + Eq>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<Vec<&T>> {
    let mut groups: Vec<Vec<&T>> = vec![];
    let mut times: HashMap<K, usize> = HashMap::new();
    for row in rows {
        let time = times.entry(key(row)).or_default();
        if groups.len() == *time {
            groups.push(vec![]);
        }
        groups[*time].push(row);
        *time += 1;
    }
    groups
}

fn rows((before, after): (&str, &str), count: usize, width: usize) -> String {
    [before, &placeholders(count, width), after].concat()
}
