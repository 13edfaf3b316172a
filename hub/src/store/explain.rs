//! What explaining a policy's action in one cluster needs.

use super::{Store, valid};
use writ_policy::{Fleet, Labels, PolicyInfo, SourceFile};

const FIND: &str = "
    SELECT revisions.revision, revisions.fleet, revisions.fleet_file, revision_policies.info
    FROM revision_policies
    JOIN revisions ON revisions.id = revision_policies.revision_id
    JOIN names ON names.id = revision_policies.policy_id
    WHERE revisions.served_at = (SELECT MAX(served_at) FROM revisions WHERE statement IS NOT NULL)
        AND (revision_policies.code = $1 OR names.name = $1)
    ORDER BY revisions.id DESC, revision_policies.code LIMIT 1";
const LABELS: &str = "SELECT labels FROM clusters WHERE name = $1";

/// A policy of the served revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Explainable {
    /// The commit.
    pub revision: String,
    /// What it says of the fleet.
    pub fleet: Fleet,
    /// The file that says so, where there is one.
    pub fleet_file: Option<SourceFile>,
    /// The policy; `None` when the revision was checked by a hub that did not keep it.
    pub policy: Option<PolicyInfo>,
}

/// The file as it is stored.
pub(super) fn file_text(file: Option<&SourceFile>) -> String {
    file.map_or_else(String::new, |file| serde_json::json!([file.path, file.text]).to_string())
}

impl Store {
    /// The policy of this code or name that is served.
    pub async fn explainable(&self, word: &str) -> sqlx::Result<Option<Explainable>> {
        let row: Option<(String, String, String, String)> =
            on!(self, |pool| sqlx::query_as(FIND).bind(word).fetch_optional(pool).await)?;
        let Some((revision, fleet, file, info)) = row else { return Ok(None) };
        let fleet_file = serde_json::from_str(&file)
            .ok()
            .map(|(path, text): (String, String)| SourceFile { path, text: text.into() });
        let policy = if info.is_empty() { None } else { Some(valid(serde_json::from_str(&info))?) };
        Ok(Some(Explainable { revision, fleet: valid(serde_json::from_str(&fleet))?, fleet_file, policy }))
    }

    /// The labels of the cluster of this name.
    pub async fn labels(&self, cluster: &str) -> sqlx::Result<Option<Labels>> {
        let text: Option<String> =
            on!(self, |pool| sqlx::query_scalar(LABELS).bind(cluster).fetch_optional(pool).await)?;
        text.map(|text| valid(serde_json::from_str(&text))).transpose()
    }
}
