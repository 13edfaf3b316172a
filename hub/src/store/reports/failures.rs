//! Failures: append-only, one per review and objecting policy.

use super::super::Tx;
use super::super::bulk::{Insert, Value};
use super::super::names::Names;
use super::{News, namespace};
use writ_policy::wire::Failure;

const SAVE: Insert = Insert {
    into: "INSERT INTO failures (id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action,
        outcome, message, kind_id, object, object_uid, workload, operation, requester, review, revision_id, exemption,
        implied, child, because)",
    // Without naming the key: on PostgreSQL it holds the time too.
    on_conflict: "ON CONFLICT DO NOTHING",
};

impl Tx {
    /// Appends the failures of these reports; one that is there already stays as it is.
    pub(super) async fn save_failures(&mut self, news: &[News<'_>], names: &Names, now: i64) -> sqlx::Result<()> {
        let rows = news
            .iter()
            .flat_map(|news| news.report().failures.iter().map(|failure| row(news.cluster(), failure, names, now)));
        self.insert(SAVE, &rows.collect::<Vec<_>>()).await
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
