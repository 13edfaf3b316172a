//! One source: where it is, the mirror of it, whose commits are believed, and what was made of its head.

use super::signers::Signers;
use super::under;
use crate::app::{SourceName, SourceState};
use crate::config::SourceConfig;
use crate::keep::Keep;
use crate::repository::{Mirror, Parts, Read, Remote};
use anyhow::{Context, ensure};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use writ_policy::Revision;

/// A source as it is followed.
#[derive(Debug)]
pub struct Line {
    pub(super) name: SourceName,
    pub(super) mirror: Mirror,
    pub(super) remote: Remote,
    pub(super) signers: Signers,
    /// What this process has dealt with, and came to.
    pub(super) done: Option<Done>,
    pub(super) unfinished: Option<Unfinished>,
    pub(super) state: SourceState,
}

/// A head whose check is to be tried again.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) head: Revision,
    pub(super) tries: usize,
    pub(super) due: Instant,
}

/// A head that was dealt with. It is dealt with anew when an operator allows another one, or beside other commits of the
/// other sources.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) head: Revision,
    pub(super) allowed: Option<Revision>,
    pub(super) beside: Parts,
    /// Why it is not followed.
    pub(super) held: Option<String>,
}

impl Line {
    /// A source of which nothing is known yet.
    pub fn new(name: SourceName, mirror: Mirror, remote: Remote, signers: Signers) -> Self {
        Self { name, mirror, remote, signers, done: None, unfinished: None, state: SourceState::default() }
    }

    /// What it is called, for people.
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// The commit that its branch or tag points to now.
    pub(super) async fn fetch(&self) -> anyhow::Result<Revision> {
        let mirror = self.mirror.clone();
        tokio::task::spawn_blocking(move || mirror.fetch()).await?
    }

    /// The files of one of its commits, where they are in the bundle.
    pub(super) async fn read(&self, commit: &Revision) -> anyhow::Result<Read> {
        let (mirror, commit, name) = (self.mirror.clone(), commit.clone(), self.name.clone());
        let read = move || anyhow::Ok(under::folder(&name.name, mirror.files(&commit, &name.path)?));
        tokio::task::spawn_blocking(read).await?
    }

    /// The setting of this name that is this source's.
    pub(super) fn setting(&self, name: &str) -> String {
        match self.name.name.as_str() {
            "" => name.to_owned(),
            own => format!("{name}/{own}"),
        }
    }

    /// The repository and branch that are followed.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.name.url, self.name.branch)
    }

    /// Notes why it cannot be followed; said once.
    pub(super) fn failed(&mut self, error: &anyhow::Error, now: i64) {
        let error = format!("{error:#}");
        if self.state.error.as_ref() != Some(&error) {
            let source = self.name.name.as_str();
            tracing::warn!(error, source, "the source cannot be followed, the last good revision stays");
        }
        self.state.error = Some(error);
        self.state.checked_at = now;
    }
}

/// The sources that are configured, the first one first.
pub fn lines(config: &SourceConfig, keep: &Keep, shutdown: &CancellationToken) -> anyhow::Result<Vec<Line>> {
    let mut wanted = vec![(String::new(), config.clone())];
    wanted.extend(config.further()?);
    let remotes: Vec<Remote> =
        wanted.iter().map(|(_, source)| Remote::parse(&source.url)).collect::<anyhow::Result<_>>()?;
    let known: Vec<_> = remotes.iter().zip(&wanted).map(|(remote, (_, source))| (remote, source)).collect();
    Remote::prepare(&known, shutdown)?;
    let mut lines: Vec<Line> = vec![];
    for ((name, source), remote) in wanted.iter().zip(&remotes) {
        let twice = remotes.iter().filter(|other| *other == remote).count() > 1;
        ensure!(
            !twice,
            "{remote} is named as a source twice: one source reads all of a repository, or one folder of it"
        );
        lines.push(line(name, source, remote, keep).with_context(|| format!("preparing the source `{name}`"))?);
    }
    Ok(lines)
}

fn line(name: &str, source: &SourceConfig, remote: &Remote, keep: &Keep) -> anyhow::Result<Line> {
    let branch = source.tag.as_ref().map_or_else(|| source.branch.clone(), |tag| format!("tag {tag}"));
    let shown = SourceName { name: name.to_owned(), url: remote.to_string(), branch, path: source.path.clone() };
    let mirror = Mirror::open(&keep.mirror(name), remote.clone(), source.reference())?;
    Ok(Line::new(shown, mirror, remote.clone(), Signers::of(source)))
}
