//! Failures: append-only, one per review and objecting policy.

use super::super::Tx;
use super::super::bulk::{Append, Value};
use super::super::names::Names;
use super::{News, namespace};
use std::collections::HashSet;
use uuid::Uuid;
use writ_policy::wire::Failure;

const APPEND: Append = Append {
    table: "failures",
    columns:
        "id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action, outcome, message, kind_id,
        object, object_uid, workload, operation, requester, review, revision_id, exemption, implied, child, because",
};
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM failures WHERE at = $1 AND id = $2)";

impl Tx {
    /// Appends the failures of these reports, and says which were not there before; those that were stay as they are.
    pub(super) async fn save_failures<'r>(
        &mut self,
        news: &[News<'r>],
        names: &Names,
        now: i64,
    ) -> sqlx::Result<Vec<&'r Failure>> {
        let of_news = |news: &News<'r>| {
            let cluster = news.cluster();
            news.report().failures.iter().map(move |failure| (cluster, failure))
        };
        let mut all: Vec<(i64, &Failure)> = news.iter().flat_map(of_news).collect();
        if all.is_empty() {
            return Ok(vec![]);
        }
        self.at_savepoint("SAVEPOINT failures").await?;
        match self.append_failures(&all, names, now).await {
            Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => {
                self.at_savepoint("ROLLBACK TO SAVEPOINT failures").await?;
                all = self.without_known(all).await?;
                self.append_failures(&all, names, now).await?;
            }
            appended => appended?,
        }
        self.at_savepoint("RELEASE SAVEPOINT failures").await?;
        Ok(all.into_iter().map(|(_, failure)| failure).collect())
    }

    async fn append_failures(&mut self, all: &[(i64, &Failure)], names: &Names, now: i64) -> sqlx::Result<()> {
        let rows: Vec<_> = all.iter().map(|(cluster, failure)| row(*cluster, failure, names, now)).collect();
        self.append(APPEND, &rows).await
    }

    /// Seldom asked: a failure that was told before comes in a report that was stored before.
    async fn without_known<'r>(&mut self, all: Vec<(i64, &'r Failure)>) -> sqlx::Result<Vec<(i64, &'r Failure)>> {
        let (mut unknown, mut seen) = (vec![], HashSet::<(i64, Uuid)>::new());
        for (cluster, failure) in all {
            let is_there: bool = on!(tx self, |connection| {
                let query = sqlx::query_scalar(IS_THERE).bind(failure.at).bind(failure.id.to_string());
                query.fetch_one(connection).await
            })?;
            if !is_there && seen.insert((failure.at, failure.id)) {
                unknown.push((cluster, failure));
            }
        }
        Ok(unknown)
    }

    async fn at_savepoint(&mut self, statement: &'static str) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(statement).execute(connection).await.map(drop))
    }
}

fn row<'r>(cluster: i64, failure: &'r Failure, names: &Names, now: i64) -> [Value<'r>; 23] {
    [
        failure.id.to_string().into(),
        failure.at.into(),
        now.into(),
        cluster.into(),
        names.id(namespace(&failure.namespace)).into(),
        names.id(failure.policy.as_str()).into(),
        failure.code.as_str().into(),
        failure.severity.map_or("", |severity| severity.as_str()).into(),
        failure.action.as_str().into(),
        failure.outcome.as_str().into(),
        failure.message.as_str().into(),
        names.id(&failure.kind).into(),
        failure.name.as_str().into(),
        failure.uid.as_str().into(),
        failure.workload.as_str().into(),
        failure.operation.as_str().into(),
        failure.user.as_str().into(),
        failure.review.as_str().into(),
        names.id(failure.revision.as_str()).into(),
        failure.exemption.as_deref().unwrap_or_default().into(),
        i64::from(failure.implied).into(),
        i64::from(failure.child).into(),
        failure.because.as_str().into(),
    ]
}
