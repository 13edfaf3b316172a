//! What a word may name: a code, a policy, a namespace, a cluster.

use crate::store::Store;
#[cfg(test)]
use crate::store::scan::{Bound, Statement};

/// What was found under a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The policy of this name.
    Policy(String),
    /// The namespace of this name.
    Namespace(String),
    /// The cluster of this name.
    Cluster(String),
}

/// By `revision_policies_by_policy`, and by `revision_policies_by_code`.
const POLICY: &str = "
    SELECT name FROM names
    WHERE name = $1 AND EXISTS (SELECT 1 FROM revision_policies p WHERE p.policy_id = names.id)";
const POLICY_BY_CODE: &str = "
    SELECT n.name FROM revision_policies p JOIN names n ON n.id = p.policy_id
    WHERE p.code = $1 ORDER BY p.revision_id DESC, n.name LIMIT 1";
/// By `failures_by_namespace`, or by its reviews: a row of the primary key of `sums` for each day.
const NAMESPACE: &str = "
    WITH RECURSIVE series (bucket, last) AS (
        SELECT (SELECT MIN(bucket) FROM sums WHERE span = 1440), (SELECT MAX(bucket) FROM sums WHERE span = 1440)
        UNION ALL SELECT bucket + 1, last FROM series WHERE bucket < last)
    SELECT name FROM names
    WHERE name = $1 AND (EXISTS (SELECT 1 FROM failures WHERE namespace_id = names.id)
        OR EXISTS (SELECT 1 FROM recent WHERE namespace_id = names.id AND what < 2)
        OR EXISTS (SELECT 1 FROM series b CROSS JOIN sums t WHERE t.span = 1440 AND t.bucket = b.bucket AND t.kind = 2
            AND t.of_id = 0 AND t.subject_id = names.id))";
/// What the served revision holds.
const POLICIES: &str = "
    SELECT n.name FROM revision_policies p JOIN names n ON n.id = p.policy_id
    WHERE p.revision_id = (SELECT id FROM revisions WHERE served_at IS NOT NULL AND state = 'served'
                           ORDER BY served_at DESC, id DESC LIMIT 1)
    ORDER BY n.name LIMIT $1";
const CLUSTERS: &str = "SELECT name FROM clusters ORDER BY name LIMIT $1";
const CLUSTER: &str = "SELECT name FROM clusters WHERE name = $1";

impl Store {
    /// The policy with this name or code.
    pub async fn find_policy(&self, word: &str) -> sqlx::Result<Option<String>> {
        let named = on!(self, |pool| sqlx::query_scalar(POLICY).bind(word).fetch_optional(pool).await)?;
        if named.is_some() {
            return Ok(named);
        }
        let code = word.to_uppercase();
        on!(self, |pool| sqlx::query_scalar(POLICY_BY_CODE).bind(code).fetch_optional(pool).await)
    }

    /// The namespace of this name, if anything was ever reported from it.
    pub async fn find_namespace(&self, word: &str) -> sqlx::Result<Option<String>> {
        on!(self, |pool| sqlx::query_scalar(NAMESPACE).bind(word).fetch_optional(pool).await)
    }

    /// The first `limit` clusters by name.
    pub async fn cluster_names(&self, limit: i64) -> sqlx::Result<Vec<String>> {
        on!(self, |pool| sqlx::query_scalar(CLUSTERS).bind(limit).fetch_all(pool).await)
    }

    /// The first `limit` policies of the served revision by name.
    pub async fn served_policy_names(&self, limit: i64) -> sqlx::Result<Vec<String>> {
        on!(self, |pool| sqlx::query_scalar(POLICIES).bind(limit).fetch_all(pool).await)
    }

    /// What this word names, policies first.
    pub async fn find(&self, word: &str) -> sqlx::Result<Option<Found>> {
        if let Some(name) = self.find_policy(word).await? {
            return Ok(Some(Found::Policy(name)));
        }
        if let Some(name) = self.find_namespace(word).await? {
            return Ok(Some(Found::Namespace(name)));
        }
        let cluster = on!(self, |pool| sqlx::query_scalar(CLUSTER).bind(word).fetch_optional(pool).await)?;
        Ok(cluster.map(Found::Cluster))
    }
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(String, Statement)> {
    let text = |name: &str, text: &str| {
        (name.to_owned(), Statement { text: text.to_owned(), values: vec![Bound::Text("a".into())] })
    };
    vec![text("policy", POLICY), text("code", POLICY_BY_CODE), text("namespace", NAMESPACE), text("cluster", CLUSTER)]
}
