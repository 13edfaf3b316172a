//! What every page has around its own content: the frame, the section that is lit, and the moment it was made.

use super::assets;
use super::figure::Count;
use super::when::{Clock, When, utc};
use crate::app::{App, SourceName};

/// The places of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Fleet,
    Clusters,
    Namespaces,
    Policies,
    Violations,
    Failures,
    Changes,
    Revisions,
    Rollouts,
    /// None of them.
    Elsewhere,
}

/// Given to the templates as `layout`.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) section: Section,
    pub(super) now: i64,
    /// Whether there is a session to end.
    pub(super) can_sign_out: bool,
    /// Which repository is followed, for the foot of the page.
    pub(super) source: String,
}

/// Where a source is, for people.
fn place(source: &SourceName) -> String {
    let SourceName { name, url, branch, path } = source;
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let folder = if path.is_empty() { String::new() } else { format!(", folder {path}") };
    format!("{name}{url} at {branch}{folder}")
}

impl Layout {
    /// The frame of a page of this section, made now.
    pub(super) fn new(app: &App, section: Section) -> Self {
        let source = app.sources().map(place).collect::<Vec<_>>().join("; ");
        Self { section, now: app.now(), can_sign_out: app.access.asks_for_token(), source }
    }

    /// The frame of a page for someone who may not see anything yet.
    pub(super) fn bare(now: i64) -> Self {
        Self { section: Section::Elsewhere, now, can_sign_out: false, source: String::new() }
    }

    pub(super) fn tabs(&self) -> [(Section, &'static str, &'static str); 9] {
        [
            (Section::Fleet, "/", "Fleet"),
            (Section::Clusters, "/clusters", "Clusters"),
            (Section::Namespaces, "/namespaces", "Namespaces"),
            (Section::Policies, "/policies", "Policies"),
            (Section::Violations, "/violations", "Violations"),
            (Section::Failures, "/failures", "Failures"),
            (Section::Changes, "/changes", "Changes"),
            (Section::Revisions, "/revisions", "Revisions"),
            (Section::Rollouts, "/rollouts", "Rollouts"),
        ]
    }

    pub(super) fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// "3 min ago".
    pub(super) fn when(&self, at: &i64) -> When {
        When::new(*at, self.now)
    }

    /// "14:03:22", with the date unless it is today.
    pub(super) fn clock(&self, at: &i64) -> Clock {
        Clock::new(*at, self.now)
    }

    /// "12,345".
    pub(super) fn count(&self, count: &i64) -> Count {
        Count(*count)
    }

    pub(super) fn made_at(&self) -> String {
        utc(self.now)
    }
}
