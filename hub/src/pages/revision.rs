//! `/revisions/{commit}`: one commit: what was found in it, who enforces it since when, and what it changed.

use super::layout::{Layout, Section};
use super::link;
use super::when::duration;
use crate::access::Viewer;
use crate::api::Path;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::finding::Finding;
use crate::movement::{Effect, Reach};
use crate::repository::Parts;
use crate::store::sums::MINUTE;
use crate::store::{Classes, LedgerRow, PolicyRow, RevisionLine, RevisionRow, Trend};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use writ_policy::{Diagnostic, Revision};

/// Rows of the ledger.
const MAX_LEDGER: i64 = 1_000;
/// Diagnostics on the page; more are counted.
const MAX_DIAGNOSTICS: usize = 100;
/// Policies whose change is shown.
const MAX_POLICIES: i64 = 1_000;
const MOST_CHANGED: usize = 8;
/// Clocks of agent and hub differ; below this a difference says nothing.
const SKEW_MS: i64 = -2_000;

/// The page.
#[derive(Template)]
#[template(path = "revision.html")]
struct RevisionPage {
    layout: Layout,
    row: RevisionRow,
    served: Option<RevisionLine>,
    diagnostics: Vec<Finding>,
    left_out: usize,
    ledger: Vec<LedgerRow>,
    effect: Option<Effect>,
    reach: Reach,
    /// Whether the time after is not over.
    is_young: bool,
    policies: Vec<PolicyRow>,
}

/// `GET /revisions/{commit}`. The start of a commit id leads to the whole.
pub(super) async fn show(_: Viewer, State(app): State<App>, Path(word): Path<String>) -> Result<Response, Failure> {
    let layout = Layout::new(&app, Section::Revisions);
    let Some(row) = app.store.revision_row(&word).await? else { return by_start(&app, &word).await };
    let (served, ledger) = tokio::try_join!(app.store.served_line(), app.store.ledger(&row.revision, MAX_LEDGER))?;
    let mut diagnostics: Vec<Finding> = serde_json::from_str(&row.diagnostics).unwrap_or_default();
    let left_out = diagnostics.len().saturating_sub(MAX_DIAGNOSTICS);
    diagnostics.truncate(MAX_DIAGNOSTICS);
    let (effect, policies) = match row.published_at {
        Some(at) => effect(&app, &row.revision, at, layout.now).await?,
        None => (None, Vec::new()),
    };
    let reach = Reach::of(row.published_at.unwrap_or(layout.now), layout.now);
    let is_young = row.published_at.is_some_and(|at| layout.now < reach.around(at).until * crate::store::MINUTE_MS);
    let page = RevisionPage { layout, row, served, diagnostics, left_out, ledger, effect, reach, is_young, policies };
    Ok(super::html(&page)?.into_response())
}

async fn by_start(app: &App, word: &str) -> Result<Response, Failure> {
    let is_hex = (4..64).contains(&word.len()) && word.chars().all(|c| c.is_ascii_hexdigit());
    let found = if is_hex { app.store.revision_by_start(&word.to_lowercase()).await? } else { None };
    match found {
        Some(row) => Ok(Redirect::to(&link::revision(&row.revision)).into_response()),
        None => Err(Error::Absent(format!("revision {:?}", word.chars().take(80).collect::<String>())).into()),
    }
}

/// What changed in the fleet, and for which policies most.
async fn effect(app: &App, revision: &str, at: i64, now: i64) -> Result<(Option<Effect>, Vec<PolicyRow>), Failure> {
    let reach = Reach::of(at, now);
    let window = reach.around(at);
    let (minutes, mut policies) = tokio::try_join!(
        app.store.trend(Trend::Fleet, reach.span, window.before, window.until),
        app.store.policy_rows(revision, window, MAX_POLICIES)
    )?;
    policies.retain(|policy| policy.rate_moved() != 0.0);
    policies.sort_by(|a, b| b.rate_moved().abs().total_cmp(&a.rate_moved().abs()));
    policies.truncate(MOST_CHANGED);
    Ok((Some(Effect::of(at, reach, &minutes)), policies))
}

impl RevisionPage {
    fn is_now_served(&self) -> bool {
        self.served.as_ref().is_some_and(|line| line.revision == self.row.revision)
    }

    /// Which time is looked at.
    fn after_label(&self) -> &'static str {
        match self.reach == Reach::by(MINUTE) {
            true => "The hour from the minute in which it was served",
            false => "The 6 hours after the one in which it was served",
        }
    }

    fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|finding| finding.diagnostic.is_error()).count()
    }

    /// At which commits the sources were, where there is more than one: the name, the commit, its start.
    fn parts(&self) -> Vec<(String, String, String)> {
        let parts: Parts = serde_json::from_str(&self.row.parts).unwrap_or_default();
        if parts.len() < 2 {
            return vec![];
        }
        let told = |(name, commit): (String, Revision)| {
            let name = if name.is_empty() { "the first source".to_owned() } else { name };
            (name, commit.to_string(), commit.short().to_owned())
        };
        parts.into_iter().map(told).collect()
    }

    /// Classes of clusters and how many of the policies each is served.
    fn classes(&self) -> Vec<(String, u32)> {
        let classes: Classes = serde_json::from_str(&self.row.classes).unwrap_or_default();
        classes.into_iter().map(|(name, class)| (name, class.policies)).collect()
    }

    fn enforced(&self) -> usize {
        self.ledger.iter().filter(|row| row.is_newest && row.active_at.is_some()).count()
    }

    /// From the moment that the hub saw the commit until a cluster enforced it.
    fn took(&self, row: &LedgerRow) -> Option<String> {
        span(Some(self.row.seen_at), row.active_at)
    }
}

/// `policies/pdb.rego:12:3`.
fn place(diagnostic: &Diagnostic) -> String {
    match (diagnostic.line, diagnostic.column) {
        (0, _) => diagnostic.path.clone(),
        (line, 0) => format!("{}:{line}", diagnostic.path),
        (line, column) => format!("{}:{line}:{column}", diagnostic.path),
    }
}

/// How long after the hub told it something happened at the agent.
fn after(told: &i64, happened: &Option<i64>) -> String {
    span(Some(*told), *happened).map_or_else(|| "–".to_owned(), |length| format!("+{length}"))
}

fn span(from: Option<i64>, until: Option<i64>) -> Option<String> {
    let length = until? - from?;
    (length >= SKEW_MS).then(|| duration(length.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_is_silent_when_clocks_contradict() {
        assert_eq!(span(Some(1_000), Some(1_085)).as_deref(), Some("85 ms"));
        assert_eq!(span(Some(1_000), Some(900)).as_deref(), Some("0 ms"));
        assert_eq!(span(Some(10_000), Some(1_000)), None);
        assert_eq!(span(None, Some(1_000)), None);
    }
}
