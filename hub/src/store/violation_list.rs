//! Violations as pages and the API list them: the newest first, by a key that new ones do not shift.
//!
//! Open ones are walked along `violations_open_by_cluster`, `_by_namespace`, `_by_policy` or `violations_open`, whichever
//! begins with the first of these filters that is given; fixed ones along `violations_fixed`. All end with the time and
//! the id, so that a page is one walk without sorting; all other filters are applied to at most
//! `MOST_LOOKED_AT` rows of it.

use super::scan::{Condition, Listed, Page, Place, Scan, Shown, Statement, with_values};
use super::{Store, ViolationRow};
use serde::Serialize;

const COLUMNS: &str =
    "cluster_id, namespace_id, policy_id, kind_id, opened_revision_id, code, severity, action, exemption,
    outcome, workload";

/// What is counted beside a list.
const FACETS: &str = "severity, action, code, CAST(CASE exemption WHEN '' THEN 0 ELSE 1 END AS BIGINT)";

const OPEN: &str = "fixed_at IS NULL";
const FIXED: &str = "fixed_at IS NOT NULL";

const ROWS: &str = "
    SELECT v.id, clusters.name AS cluster, policies.name AS policy, namespaces.name AS namespace,
        kinds.name AS kind, v.workload, v.code, v.severity, v.action,
        v.because, v.exemption, v.outcome, v.message, v.object,
        v.object_uid, v.objects, revisions.name AS revision, v.first_seen_at,
        v.opened_at, openers.name AS opened_revision, v.last_seen_at, v.sightings,
        v.reopenings, v.fixed_at, v.fixed_reason, fixers.name AS fixed_revision
    FROM found
    JOIN violations v ON v.id = found.id
    JOIN clusters ON clusters.id = v.cluster_id
    JOIN names AS policies ON policies.id = v.policy_id
    JOIN names AS namespaces ON namespaces.id = v.namespace_id
    JOIN names AS kinds ON kinds.id = v.kind_id
    JOIN names AS revisions ON revisions.id = v.revision_id
    JOIN names AS openers ON openers.id = v.opened_revision_id
    LEFT JOIN names AS fixers ON fixers.id = v.fixed_revision_id
    ORDER BY found.at DESC, found.id DESC";

const SHOWN: Shown = Shown { columns: COLUMNS, rows: ROWS };

/// Which violations are asked for.
#[derive(Debug, Clone, Default)]
pub struct ViolationQuery {
    /// Fixed ones instead of open ones.
    pub fixed: bool,
    /// Of this cluster.
    pub cluster: Option<String>,
    /// In this namespace; `""` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Of this policy.
    pub policy: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Of this severity.
    pub severity: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// Of this kind, `group/Kind`.
    pub kind: Option<String>,
    /// Of this workload, `Kind/name`.
    pub workload: Option<String>,
    /// Covered by an exemption, or not.
    pub exempted: Option<bool>,
    /// That began with this revision.
    pub revision: Option<String>,
    /// Opened (or fixed) not before this time.
    pub since: i64,
    /// Older than this row.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// How many have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many.
    pub count: i64,
}

/// What the newest that match are like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facets {
    /// How many were counted.
    pub counted: i64,
    /// Whether there are more than were looked at.
    pub is_partial: bool,
    /// By severity.
    pub severities: Vec<Facet>,
    /// By action.
    pub actions: Vec<Facet>,
    /// By code of the policy.
    pub codes: Vec<Facet>,
    /// Covered by an exemption.
    pub exempted: i64,
}

impl Listed for ViolationRow {
    fn place(&self) -> Place {
        (self.fixed_at.unwrap_or(self.opened_at), self.id.clone())
    }
}

impl ViolationQuery {
    fn conditions(&self) -> Vec<Condition> {
        let texts: [(&'static str, &Option<String>); 9] = [
            ("cluster_id = (SELECT id FROM clusters WHERE name = {})", &self.cluster),
            ("namespace_id = (SELECT id FROM names WHERE name = {})", &self.namespace),
            ("policy_id = (SELECT id FROM names WHERE name = {})", &self.policy),
            ("code = {}", &self.code),
            ("severity = {}", &self.severity),
            ("action = {}", &self.action),
            ("kind_id = (SELECT id FROM names WHERE name = {})", &self.kind),
            ("workload = {}", &self.workload),
            ("opened_revision_id = (SELECT id FROM names WHERE name = {})", &self.revision),
        ];
        let mut conditions: Vec<Condition> =
            texts.into_iter().filter_map(|(text, value)| Some(Condition { text, value: value.clone()? })).collect();
        conditions.extend(self.exempted.map(|exempted| Condition {
            text: if exempted { "exemption <> {}" } else { "exemption = {}" },
            value: String::new(),
        }));
        conditions
    }

    fn scan<'a>(&'a self, conditions: &'a [Condition]) -> Scan<'a> {
        let begins =
            |text: &str| ["cluster_id", "namespace_id", "policy_id"].iter().any(|column| text.starts_with(column));
        let is_indexed = conditions.first().is_some_and(|first| begins(first.text)) && !self.fixed;
        let (indexed, rest) = conditions.split_at(usize::from(is_indexed));
        let (at, fixed) = if self.fixed { ("fixed_at", FIXED) } else { ("opened_at", OPEN) };
        let (indexed, rest) = (indexed.first(), rest.iter().collect());
        Scan { table: "violations", at, fixed, indexed, rest, since: self.since, before: self.before.as_ref() }
    }
}

impl Store {
    /// A page of violations.
    pub async fn violation_page(&self, query: &ViolationQuery) -> sqlx::Result<Page<ViolationRow>> {
        let conditions = query.conditions();
        query.scan(&conditions).page(self, SHOWN, query.limit).await
    }

    /// What the newest of these violations are like; where the page begins does not matter.
    pub async fn violation_facets(&self, query: &ViolationQuery) -> sqlx::Result<Facets> {
        let query = ViolationQuery { before: None, ..query.clone() };
        let conditions = query.conditions();
        let scan = query.scan(&conditions);
        let Statement { text, values } = scan.counts(COLUMNS, FACETS);
        let rows: Vec<(String, String, String, i64, i64)> = on!(self, |pool| {
            with_values!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await
        })?;
        let is_partial = scan.end(self).await?.is_some();
        Ok(Facets::of(&rows, is_partial))
    }
}

impl Facets {
    fn of(rows: &[(String, String, String, i64, i64)], is_partial: bool) -> Self {
        let mut facets = Self { is_partial, ..Self::default() };
        for (severity, action, code, exempted, count) in rows {
            facets.counted += count;
            facets.exempted += exempted * count;
            add(&mut facets.severities, severity, *count);
            add(&mut facets.actions, action, *count);
            add(&mut facets.codes, code, *count);
        }
        facets.codes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        facets
    }
}

fn add(facets: &mut Vec<Facet>, value: &str, count: i64) {
    match facets.iter_mut().find(|facet| facet.value == value) {
        Some(facet) => facet.count += count,
        None => facets.push(Facet { value: value.to_owned(), count }),
    }
}

/// What is asked of the database for this list.
#[cfg(test)]
pub(super) fn statements(query: &ViolationQuery) -> Vec<Statement> {
    let conditions = query.conditions();
    let scan = query.scan(&conditions);
    vec![scan.list(SHOWN, 50), scan.end_of_looking(), scan.counts(COLUMNS, FACETS)]
}
