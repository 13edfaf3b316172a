//! Rows for tests and for the seeded example: builders that name only what matters. Never part of a shipped binary.

mod filler;
mod violation;

pub use filler::{Fill, Filled};
pub use violation::SeedViolation;

use super::recent::What;
use super::{MINUTE_MS, Store, Tx};

/// A commit; `diagnostics` other than `[]` make it refused.
#[derive(Debug, Clone)]
pub struct SeedRevision<'a> {
    /// Full commit id.
    pub revision: &'a str,
    /// Author.
    pub author: &'a str,
    /// Message.
    pub message: &'a str,
    /// When it was committed, seen and served.
    pub at: i64,
    /// JSON array of `Diagnostic`.
    pub diagnostics: &'a str,
    /// Its policies.
    pub policies: &'a [SeedPolicy<'a>],
}

/// A policy of a revision.
#[derive(Debug, Clone, Copy)]
pub struct SeedPolicy<'a> {
    /// Name.
    pub name: &'a str,
    /// Code.
    pub code: &'a str,
    /// Title.
    pub title: &'a str,
    /// LOW, MED or HIGH.
    pub severity: &'a str,
    /// JSON array.
    pub kinds: &'a str,
    /// Markdown.
    pub page: &'a str,
}

/// A word to a cluster, and its answer.
#[derive(Debug, Clone, Copy)]
pub struct SeedAssignment<'a> {
    /// Name of the cluster.
    pub cluster: &'a str,
    /// Epoch; the digest is `digest-<epoch>`.
    pub epoch: i64,
    /// Commit id.
    pub revision: &'a str,
    /// OFF, LOW, MED or HIGH.
    pub deny_level: &'a str,
    /// When the hub signed it.
    pub issued_at: i64,
    /// When it was active; fetched and verified shortly before.
    pub active_at: Option<i64>,
}

/// A failure; the rest is made up.
#[derive(Debug, Clone, Copy)]
pub struct SeedFailure<'a> {
    /// Id.
    pub id: &'a str,
    /// When.
    pub at: i64,
    /// Name of the cluster.
    pub cluster: &'a str,
    /// Namespace.
    pub namespace: &'a str,
    /// Policy.
    pub policy: &'a str,
    /// Code.
    pub code: &'a str,
    /// deny, warn or dryrun.
    pub action: &'a str,
    /// Message.
    pub message: &'a str,
    /// `group/Kind`.
    pub kind: &'a str,
    /// Name of the object.
    pub object: &'a str,
    /// Owner at the top.
    pub workload: &'a str,
    /// User.
    pub user: &'a str,
    /// Commit id.
    pub revision: &'a str,
}

const NAME: &str = "
    INSERT INTO names (id, name) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM names), $1)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id";
const REVISION: &str = "
    INSERT INTO revisions (id, revision, author, message, committed_at, seen_at, published_at, served_at, state,
        diagnostics, policies)
    VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM revisions), $1, $2, $3, $4, $5, $6, $6, $7, $8, $9) RETURNING id";
const POLICY: &str = "
    INSERT INTO revision_policies
        (revision_id, policy_id, code, title, description, severity, dialect, kinds, path, page)
    VALUES ($1, $2, $3, $4, '', $5, 'writ', $6, $7, $8)";
const CLUSTER: &str = "
    INSERT INTO clusters (id, name, labels, enrolled_at, seen_at, agent_version)
    VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM clusters), $1, $2, $3, $4, '0.1.0')";
const REFUSED: &str = "
    UPDATE clusters SET refused_digest = $2, refused_reason = $3, refused_at = seen_at WHERE name = $1";
const ASSIGNMENT: &str = "
    INSERT INTO assignments (cluster_id, epoch, digest, revision_id, deny_level, statement, issued_at,
        fetched_at, verified_at, active_at, acknowledged_at)
    VALUES ((SELECT id FROM clusters WHERE name = $1), $2, $3, (SELECT id FROM revisions WHERE revision = $4),
        $5, '{}', $6, $7 - 21, $7 - 9, $7, $7)";
const ACTIVE: &str = "
    UPDATE clusters SET active_digest = $2, active_epoch = $3, active_revision = $4, active_at = $5 WHERE name = $1";
const FAILURE: &str = "
    INSERT INTO failures (id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action, outcome,
        message, kind_id, object, object_uid, workload, operation, requester, review, revision_id)
    VALUES ($1, $2, $2, (SELECT id FROM clusters WHERE name = $3), $4, $5, $6, 'LOW', $7, 'fail',
        $8, $9, $10, '', $11, 'CREATE', $12, '', $13)";
const RECENT: &str = "
    INSERT INTO recent (what, minute, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials, warnings,
        dryruns, errors, exempted, micros, micros_max)
    VALUES ($1, $2, COALESCE((SELECT id FROM clusters WHERE name = $3), 0), $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, 100, 10)";

impl Store {
    /// Begins a transaction for rows of fixtures.
    pub async fn seed(&self) -> sqlx::Result<Tx> {
        self.begin().await
    }
}

impl Tx {
    async fn seed_name(&mut self, name: &str) -> sqlx::Result<i64> {
        on!(tx self, |connection| sqlx::query_scalar(NAME).bind(name).fetch_one(connection).await)
    }

    /// Adds a revision with its policies.
    pub async fn seed_revision(&mut self, seed: &SeedRevision<'_>) -> sqlx::Result<()> {
        let is_good = seed.diagnostics == "[]";
        let state = if is_good { "served" } else { "refused" };
        let id: i64 = on!(tx self, |connection| {
            let query = sqlx::query_scalar(REVISION).bind(seed.revision).bind(seed.author).bind(seed.message);
            let query = query.bind(seed.at - 900).bind(seed.at - 60).bind(is_good.then_some(seed.at)).bind(state);
            query.bind(seed.diagnostics).bind(seed.policies.len() as i64).fetch_one(connection).await
        })?;
        for policy in seed.policies {
            let name = self.seed_name(policy.name).await?;
            let path = format!("policies/{}.rego", policy.name);
            on!(tx self, |connection| {
                let query = sqlx::query(POLICY).bind(id).bind(name).bind(policy.code).bind(policy.title);
                let query = query.bind(policy.severity).bind(policy.kinds).bind(path).bind(policy.page);
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Adds a cluster.
    pub async fn seed_cluster(&mut self, name: &str, labels: &str, seen_at: Option<i64>) -> sqlx::Result<()> {
        let enrolled_at = seen_at.unwrap_or(0);
        on!(tx self, |connection| {
            sqlx::query(CLUSTER).bind(name).bind(labels).bind(enrolled_at).bind(seen_at).execute(connection).await.map(drop)
        })?;
        Ok(())
    }

    /// Lets a cluster refuse the assignment of this epoch.
    pub async fn seed_refusal(&mut self, cluster: &str, epoch: i64, reason: &str) -> sqlx::Result<()> {
        let digest = format!("digest-{epoch}");
        on!(tx self, |connection| {
            sqlx::query(REFUSED).bind(cluster).bind(digest).bind(reason).execute(connection).await.map(drop)
        })?;
        Ok(())
    }

    /// Adds an assignment; one that is active becomes what the cluster enforces.
    pub async fn seed_assignment(&mut self, seed: &SeedAssignment<'_>) -> sqlx::Result<()> {
        let digest = format!("digest-{}", seed.epoch);
        on!(tx self, |connection| {
            let query = sqlx::query(ASSIGNMENT).bind(seed.cluster).bind(seed.epoch).bind(&digest).bind(seed.revision);
            query.bind(seed.deny_level).bind(seed.issued_at).bind(seed.active_at).execute(connection).await.map(drop)
        })?;
        let Some(active_at) = seed.active_at else { return Ok(()) };
        on!(tx self, |connection| {
            let query = sqlx::query(ACTIVE).bind(seed.cluster).bind(&digest).bind(seed.epoch);
            query.bind(seed.revision).bind(active_at).execute(connection).await.map(drop)
        })?;
        Ok(())
    }

    /// Adds a failure.
    pub async fn seed_failure(&mut self, seed: &SeedFailure<'_>) -> sqlx::Result<()> {
        let mut ids = Vec::new();
        for name in [seed.namespace, seed.policy, seed.kind, seed.revision] {
            ids.push(self.seed_name(name).await?);
        }
        on!(tx self, |connection| {
            let query = sqlx::query(FAILURE).bind(seed.id).bind(seed.at).bind(seed.cluster).bind(ids[0]).bind(ids[1]);
            let query = query.bind(seed.code).bind(seed.action).bind(seed.message).bind(ids[2]).bind(seed.object);
            query.bind(seed.workload).bind(seed.user).bind(ids[3]).execute(connection).await.map(drop)
        })?;
        let code = self.seed_name(seed.code).await?;
        self.seed_recent(What::Failures, seed.at, "", [0, code, 0], [1, 0, 0]).await
    }

    /// Adds `[passes, failures, denials]` of a policy in the minute of `at`.
    pub async fn seed_policy_minute(
        &mut self,
        at: i64,
        (cluster, namespace, policy): (&str, &str, &str),
        counts: [i64; 3],
    ) -> sqlx::Result<()> {
        let (namespace, policy) = (self.seed_name(namespace).await?, self.seed_name(policy).await?);
        let revision = self.seed_name("").await?;
        self.seed_recent(What::Evaluations, at, cluster, [namespace, policy, revision], counts).await
    }

    /// Adds `[reviews, failing, denied]` of a namespace in the minute of `at`.
    pub async fn seed_review_minute(
        &mut self,
        at: i64,
        (cluster, namespace): (&str, &str),
        [reviews, failing, denied]: [i64; 3],
    ) -> sqlx::Result<()> {
        let namespace = self.seed_name(namespace).await?;
        let counts = [reviews - failing, failing, denied];
        self.seed_recent(What::Reviews, at, cluster, [namespace, 0, 0], counts).await
    }

    async fn seed_recent(
        &mut self,
        what: What,
        at: i64,
        cluster: &str,
        [namespace, policy, revision]: [i64; 3],
        [passes, failures, denials]: [i64; 3],
    ) -> sqlx::Result<()> {
        on!(tx self, |connection| {
            let query = sqlx::query(RECENT).bind(what as i64).bind(at.div_euclid(MINUTE_MS)).bind(cluster);
            let query = query.bind(namespace).bind(policy).bind(revision).bind(passes).bind(failures).bind(denials);
            query.execute(connection).await.map(drop)
        })
    }

    /// Folds what was seeded, once all of it is there.
    pub async fn seed_sums(&mut self) -> sqlx::Result<()> {
        self.fold(i64::MAX, 0).await.map(drop)
    }
}
