//! Revisions: every commit that was seen, what its check said, and what was served from it.

use super::explain::file_text;
use super::{Alone, Store, Tx, valid};
use crate::finding::Finding;
use crate::repository::{Commit, Parts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_policy::sign::Signed;
use writ_policy::{Digest, Fleet, Labels, PolicyInfo, Revision, SourceFile};

const SAVE: &str = "
    INSERT INTO revisions (id, revision, author, message, committed_at, seen_at, published_at, served_at, state,
        diagnostics, policies, fleet, index_digest, statement, fleet_file, signed_by, source, parts, classes)
    VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM revisions), $1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        $15, $16, $17)
    ON CONFLICT (revision) DO UPDATE SET
        published_at = COALESCE(revisions.published_at, excluded.published_at),
        served_at = COALESCE(excluded.served_at, revisions.served_at),
        state = excluded.state, diagnostics = excluded.diagnostics, policies = excluded.policies,
        fleet = excluded.fleet, fleet_file = excluded.fleet_file, index_digest = excluded.index_digest,
        statement = excluded.statement, signed_by = excluded.signed_by, source = excluded.source, parts = excluded.parts,
        classes = excluded.classes
    RETURNING id";

const LAST_SERVED: &str = "SELECT COALESCE(MAX(served_at), 0) FROM revisions";

/// A commit that was passed over stays what it was, if the hub knows it already.
const SAVE_SUPERSEDED: &str = "
    INSERT INTO revisions (id, revision, author, message, committed_at, seen_at, state, diagnostics, source)
    VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM revisions), $1, $2, $3, $4, $5, 'superseded', '[]', $6)
    ON CONFLICT (revision) DO NOTHING";

const FORGET_POLICIES: &str = "DELETE FROM revision_policies WHERE revision_id = $1";
const SAVE_POLICY: &str = "
    INSERT INTO revision_policies
        (revision_id, policy_id, code, title, description, severity, dialect, kinds, path, page, info)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const SERVED: &str = "
    SELECT id, revision, fleet, statement, message, served_at, parts, classes FROM revisions
    WHERE served_at IS NOT NULL AND statement IS NOT NULL
    ORDER BY served_at DESC, id DESC LIMIT 1";
const SERVABLE: &str = "
    SELECT id, revision, fleet, statement, message, served_at, parts, classes FROM revisions
    WHERE id = $1 AND served_at IS NOT NULL AND statement IS NOT NULL";
const NUMBER: &str = "SELECT id FROM revisions WHERE revision = $1 AND served_at IS NOT NULL AND statement IS NOT NULL";
const SAVE_STATEMENTS: &str = "UPDATE revisions SET statement = $1, classes = $2 WHERE id = $3";
const SOURCE_OF: &str = "SELECT source FROM revisions WHERE revision = $1";
const CODES: &str = "SELECT code FROM revision_policies WHERE revision_id = $1 ORDER BY code";

/// What a check made of a commit.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The commit.
    pub commit: &'a Commit,
    /// Errors and warnings.
    pub diagnostics: &'a [Finding],
    /// What is served from it; `None` when it is refused.
    pub bundle: Option<&'a NewBundle>,
}

/// What is served from a commit.
#[derive(Debug)]
pub struct NewBundle {
    /// Its policies, each with the page that explains its code.
    pub policies: Vec<(PolicyInfo, String)>,
    /// `fleet.yaml`.
    pub fleet: Fleet,
    /// The file that holds it.
    pub fleet_file: Option<SourceFile>,
    /// Digest of the index.
    pub index: Digest,
    /// The bundle statement.
    pub statement: Signed,
    /// What each class of clusters is served, by its name.
    pub classes: Classes,
}

/// The bundles of a revision for classes of clusters, by name.
pub type Classes = BTreeMap<String, ClassBundle>;

/// What a class of clusters is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassBundle {
    /// Digest of the index.
    pub index: Digest,
    /// How many policies it holds.
    pub policies: u32,
    /// The bundle statement.
    pub statement: Signed,
}

/// What the hub serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// The revision's row.
    pub id: i64,
    /// The commit.
    pub revision: Revision,
    /// What it says about the fleet.
    pub fleet: Fleet,
    /// The bundle statement.
    pub statement: Signed,
    /// Codes of its policies, sorted.
    pub codes: Vec<String>,
    /// The commit's message.
    pub message: String,
    /// When it last became what the hub serves.
    pub served_at: i64,
    /// At which commit each source was.
    pub parts: Parts,
    /// What each class of clusters is served, by its name.
    pub classes: Classes,
}

impl Served {
    /// The bundle statement for a cluster with these labels.
    pub fn statement_for(&self, labels: &Labels) -> &Signed {
        let class = self.fleet.class_of(labels).and_then(|class| self.classes.get(&class.name));
        class.map_or(&self.statement, |class| &class.statement)
    }
}

/// Number, commit, fleet, statement, message, since when, its parts and its classes.
type ServedRow = (i64, String, String, String, String, i64, String, String);

impl Tx {
    /// Records what a check made of a commit.
    pub async fn save_revision(&mut self, checked: &Checked<'_>, now: i64) -> sqlx::Result<()> {
        let Checked { commit, diagnostics, bundle } = checked;
        self.alone(Alone::Revisions).await?;
        let state = if bundle.is_some() { "served" } else { "refused" };
        // The newest is what is served, also after the clock was set back.
        let last: i64 = on!(tx self, |connection| sqlx::query_scalar(LAST_SERVED).fetch_one(connection).await)?;
        let served_at = bundle.map(|_| now.max(last + 1));
        let id: i64 = on!(tx self, |connection| sqlx::query_scalar(SAVE)
            .bind(commit.revision.as_str())
            .bind(&commit.author)
            .bind(&commit.message)
            .bind(commit.committed_at)
            .bind(now)
            .bind(served_at)
            .bind(state)
            .bind(json(diagnostics))
            .bind(bundle.map_or(0, |bundle| bundle.policies.len() as i64))
            .bind(bundle.map_or_else(|| "{}".to_owned(), |bundle| json(&bundle.fleet)))
            .bind(bundle.map(|bundle| bundle.index.to_string()))
            .bind(bundle.map(|bundle| json(&bundle.statement)))
            .bind(file_text(bundle.and_then(|bundle| bundle.fleet_file.as_ref())))
            .bind(&commit.signed_by)
            .bind(&commit.source)
            .bind(json(&commit.parts))
            .bind(bundle.map_or_else(|| "{}".to_owned(), |bundle| json(&bundle.classes)))
            .fetch_one(connection)
            .await)?;
        match bundle {
            Some(bundle) => self.save_policies(id, &bundle.policies).await,
            None => Ok(()),
        }
    }

    async fn save_policies(&mut self, revision: i64, policies: &[(PolicyInfo, String)]) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET_POLICIES).bind(revision).execute(connection).await.map(drop))?;
        for (policy, page) in policies {
            let name = self.intern(policy.name.as_str()).await?;
            on!(tx self, |connection| sqlx::query(SAVE_POLICY)
                .bind(revision)
                .bind(name)
                .bind(policy.code.as_str())
                .bind(&policy.title)
                .bind(&policy.description)
                .bind(policy.severity.map_or("", |severity| severity.as_str()))
                .bind(policy.dialect.as_str())
                .bind(json(&policy.kinds))
                .bind(&policy.path)
                .bind(page)
                .bind(json(policy))
                .execute(connection)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// Records a commit that a later one came before it was built.
    pub async fn save_superseded(&mut self, commit: &Commit, now: i64) -> sqlx::Result<()> {
        self.alone(Alone::Revisions).await?;
        on!(tx self, |connection| sqlx::query(SAVE_SUPERSEDED)
            .bind(commit.revision.as_str())
            .bind(&commit.author)
            .bind(&commit.message)
            .bind(commit.committed_at)
            .bind(now)
            .bind(&commit.source)
            .execute(connection)
            .await
            .map(drop))
    }
}

impl Store {
    /// Replaces the bundle statements of a revision.
    pub async fn save_statements(&self, revision: i64, statement: &Signed, classes: &Classes) -> sqlx::Result<()> {
        on!(write self, |pool| sqlx::query(SAVE_STATEMENTS)
            .bind(json(statement))
            .bind(json(classes))
            .bind(revision)
            .execute(pool)
            .await
            .map(drop))
    }

    /// What the hub serves: the revision that was last made so.
    pub async fn served(&self) -> sqlx::Result<Option<Served>> {
        let row: Option<ServedRow> = on!(self, |pool| sqlx::query_as(SERVED).fetch_optional(pool).await)?;
        self.with_codes(row).await
    }

    /// A revision that was served at some time, and may be again.
    pub async fn servable(&self, revision: i64) -> sqlx::Result<Option<Served>> {
        let row: Option<ServedRow> =
            on!(self, |pool| sqlx::query_as(SERVABLE).bind(revision).fetch_optional(pool).await)?;
        self.with_codes(row).await
    }

    /// The number of a commit that was served at some time.
    pub async fn servable_number(&self, revision: &Revision) -> sqlx::Result<Option<i64>> {
        on!(self, |pool| sqlx::query_scalar(NUMBER).bind(revision.as_str()).fetch_optional(pool).await)
    }

    /// Of which source a known commit is.
    pub async fn source_of(&self, revision: &Revision) -> sqlx::Result<Option<String>> {
        on!(self, |pool| sqlx::query_scalar(SOURCE_OF).bind(revision.as_str()).fetch_optional(pool).await)
    }

    async fn with_codes(&self, row: Option<ServedRow>) -> sqlx::Result<Option<Served>> {
        let Some((id, revision, fleet, statement, message, served_at, parts, classes)) = row else { return Ok(None) };
        let codes = on!(self, |pool| sqlx::query_scalar(CODES).bind(id).fetch_all(pool).await)?;
        let revision = valid(Revision::new(revision))?;
        Ok(Some(Served {
            id,
            parts: parts_of(&parts, &revision),
            classes: valid(serde_json::from_str(&classes))?,
            revision,
            fleet: fleet_of(&fleet),
            statement: valid(serde_json::from_str(&statement))?,
            codes,
            message,
            served_at,
        }))
    }
}

/// At which commit each source was; of a revision of when there was one, that one.
pub(crate) fn parts_of(text: &str, revision: &Revision) -> Parts {
    let parts: Parts = serde_json::from_str(text).unwrap_or_default();
    if parts.is_empty() { Parts::from([(String::new(), revision.clone())]) } else { parts }
}

/// The fleet as a version before this one may have kept it: it took anything for a wave.
pub(crate) fn fleet_of(text: &str) -> Fleet {
    let parsed = serde_json::from_str(text);
    parsed.unwrap_or_else(|_| {
        let mut fields: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        fields.as_object_mut().and_then(|fields| fields.remove("waves"));
        serde_json::from_value(fields).unwrap_or_default()
    })
}

/// JSON text of our own types, which have only string keys.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("our types have only string keys")
}
