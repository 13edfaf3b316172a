//! Revisions: what each commit was found to be, and which clusters enforce it since when.

use crate::store::Store;

/// A revision in one line.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RevisionLine {
    /// Full commit id.
    pub revision: String,
    /// Author.
    pub author: String,
    /// Whole message.
    pub message: String,
    /// When it was served.
    pub at: i64,
}

/// A revision with its check result.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RevisionRow {
    /// Row.
    pub id: i64,
    /// Full commit id.
    pub revision: String,
    /// Author.
    pub author: String,
    /// Whole message.
    pub message: String,
    /// When the author committed it.
    pub committed_at: i64,
    /// When the hub first saw it.
    pub seen_at: i64,
    /// When it was first served.
    pub published_at: Option<i64>,
    /// `served`, `refused` or `superseded`.
    pub state: String,
    /// JSON array of `Diagnostic`.
    pub diagnostics: String,
    /// How many policies it holds.
    pub policies: i64,
    /// Who signed it; empty where signatures are not looked at.
    pub signed_by: String,
    /// Of which source it is; empty for the first.
    pub source: String,
    /// JSON: at which commit each source was.
    pub parts: String,
    /// JSON: what each class of clusters is served.
    pub classes: String,
}

/// One cluster's way to enforcing a revision: the proof.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LedgerRow {
    /// Cluster.
    pub cluster: String,
    /// Epoch of the assignment.
    pub epoch: i64,
    /// Deny level of the assignment.
    pub deny_level: String,
    /// When the hub signed it.
    pub issued_at: i64,
    /// When the agent had fetched it.
    pub fetched_at: Option<i64>,
    /// When the agent had verified it.
    pub verified_at: Option<i64>,
    /// Since when decisions were made with it.
    pub active_at: Option<i64>,
    /// Whether it is the newest assignment of the cluster.
    pub is_newest: bool,
}

const COLUMNS: &str = "
    SELECT id, revision, author, message, committed_at, seen_at, published_at, state, diagnostics, policies, signed_by,
        source, parts, classes
    FROM revisions";
const NEWEST: &str = " ORDER BY id DESC LIMIT $1";
const OLDER: &str = " WHERE id < $2 ORDER BY id DESC LIMIT $1";
const BY_COMMIT: &str = " WHERE revision = $1";
const BY_START: &str = " WHERE revision >= $1 AND revision < $2 ORDER BY revision LIMIT 2";

/// A revision that was served again after another one counts twice.
const SERVED: &str = "
    SELECT revision, author, message, published_at AS at FROM revisions
    WHERE published_at >= $1 AND published_at < $2
    UNION
    SELECT revision, author, message, served_at AS at FROM revisions
    WHERE served_at >= $1 AND served_at < $2
    ORDER BY at DESC, revision DESC LIMIT $3";

const NOW_SERVED: &str = "
    SELECT revision, author, message, served_at AS at FROM revisions
    WHERE served_at IS NOT NULL AND state = 'served'
    ORDER BY served_at DESC, id DESC LIMIT 1";

const LEDGER: &str = "
    SELECT c.name AS cluster, a.epoch, a.deny_level, a.issued_at, a.fetched_at, a.verified_at, a.active_at,
           (a.epoch = (SELECT MAX(epoch) FROM assignments WHERE cluster_id = a.cluster_id)) AS is_newest
    FROM assignments a
    JOIN revisions r ON r.id = a.revision_id
    JOIN clusters c ON c.id = a.cluster_id
    WHERE r.revision = $1
    ORDER BY c.name, a.epoch DESC
    LIMIT $2";

impl Store {
    /// Revisions, those seen last first; `older_than` is the row id of the last one on the page before.
    pub async fn revision_rows(&self, older_than: Option<i64>, limit: i64) -> sqlx::Result<Vec<RevisionRow>> {
        let end = if older_than.is_some() { OLDER } else { NEWEST };
        let statement = sqlx::AssertSqlSafe([COLUMNS, end].concat());
        on!(self, |pool| {
            let query = sqlx::query_as(statement).bind(limit);
            match older_than {
                Some(id) => query.bind(id).fetch_all(pool).await,
                None => query.fetch_all(pool).await,
            }
        })
    }

    /// The revision of this full commit id.
    pub async fn revision_row(&self, revision: &str) -> sqlx::Result<Option<RevisionRow>> {
        let statement = sqlx::AssertSqlSafe([COLUMNS, BY_COMMIT].concat());
        on!(self, |pool| sqlx::query_as(statement).bind(revision).fetch_optional(pool).await)
    }

    /// The only revision whose commit id starts so.
    pub async fn revision_by_start(&self, start: &str) -> sqlx::Result<Option<RevisionRow>> {
        let statement = sqlx::AssertSqlSafe([COLUMNS, BY_START].concat());
        let after = format!("{start}g");
        let mut rows: Vec<RevisionRow> =
            on!(self, |pool| sqlx::query_as(statement).bind(start).bind(after).fetch_all(pool).await)?;
        Ok(if rows.len() == 1 { rows.pop() } else { None })
    }

    /// The newest `limit` times that a revision became what is served in this span, in order.
    pub async fn revisions_served(&self, from: i64, until: i64, limit: i64) -> sqlx::Result<Vec<RevisionLine>> {
        let mut lines: Vec<RevisionLine> =
            on!(self, |pool| sqlx::query_as(SERVED).bind(from).bind(until).bind(limit).fetch_all(pool).await)?;
        lines.reverse();
        Ok(lines)
    }

    /// The revision that the hub serves now.
    pub async fn served_line(&self) -> sqlx::Result<Option<RevisionLine>> {
        on!(self, |pool| sqlx::query_as(NOW_SERVED).fetch_optional(pool).await)
    }

    /// Every assignment of a revision, by cluster, the newest epoch first.
    pub async fn ledger(&self, revision: &str, limit: i64) -> sqlx::Result<Vec<LedgerRow>> {
        on!(self, |pool| sqlx::query_as(LEDGER).bind(revision).bind(limit).fetch_all(pool).await)
    }
}

impl RevisionLine {
    /// The start of the commit id that people read.
    pub fn short(&self) -> &str {
        short(&self.revision)
    }

    /// The first line of the message.
    pub fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

impl RevisionRow {
    /// The start of the commit id that people read.
    pub fn short(&self) -> &str {
        short(&self.revision)
    }

    /// The first line of the message.
    pub fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The message without its first line.
    pub fn body(&self) -> &str {
        self.message.split_once('\n').map_or("", |(_, body)| body.trim())
    }

    /// Whether it was found good.
    pub fn is_served(&self) -> bool {
        self.state == "served"
    }

    /// Whether it was found bad.
    pub fn is_refused(&self) -> bool {
        self.state == "refused"
    }
}

fn short(revision: &str) -> &str {
    revision.get(..8).unwrap_or(revision)
}
