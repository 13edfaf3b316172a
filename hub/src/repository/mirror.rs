//! The hub's own bare copy of the source. One branch is fetched into it; nothing is ever checked out, and no text of
//! the repository becomes a reference, a path or a command.

use super::commit::Commit;
use super::remote::Remote;
use super::tree;
use anyhow::{Context, anyhow};
use git2::{
    AutotagOption, ErrorCode, FetchOptions, ObjectType, Oid, RemoteCallbacks, Repository, Sort, Tree, TreeEntry,
    TreeWalkMode, TreeWalkResult,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use writ_policy::{Diagnostic, Revision, SourceFile};

/// Where the mirror keeps the head of the branch.
const HEAD: &str = "refs/writ/head";
/// The most bytes that one fetch may bring.
const MAX_FETCH_BYTES: usize = 2 << 30;
/// The longest that one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(300);
/// The most commits of a push that are recorded.
const MAX_COMMITS: usize = 100;

/// A bare mirror. Every call works on the disk and blocks.
#[derive(Debug, Clone)]
pub struct Mirror {
    folder: PathBuf,
    remote: Remote,
    branch: String,
}

/// How the branch came from one commit to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The commits in between and the new one, oldest first; the newest [`MAX_COMMITS`] of them.
    pub commits: Vec<Commit>,
    /// Whether the older commit is no longer part of the branch.
    pub rewritten: bool,
}

impl Mirror {
    /// Opens the mirror in this folder. One that is not there, or that a power cut spoilt, is made anew: it is a copy.
    pub fn open(folder: &Path, remote: Remote, branch: &str) -> anyhow::Result<Self> {
        if !is_whole(folder) {
            make(folder).with_context(|| format!("the mirror {} cannot be made", folder.display()))?;
        }
        Ok(Self { folder: folder.to_owned(), remote, branch: branch.to_owned() })
    }

    /// Fetches the branch and says which commit it points to.
    pub fn fetch(&self) -> anyhow::Result<Revision> {
        let repository = self.repository()?;
        let mut remote = repository.remote_anonymous(&self.remote.to_string())?;
        let branch = format!("refs/heads/{}", self.branch);
        let mut options = FetchOptions::new();
        options.download_tags(AutotagOption::None).remote_callbacks(bounds());
        let fetched = remote.fetch(&[format!("+{branch}:{HEAD}")], Some(&mut options), None);
        fetched.map_err(|error| anyhow!("the source {} cannot be fetched: {}", self.remote, error.message()))?;
        // libgit2 says nothing when the branch is not there, and leaves what was fetched before.
        let heads = remote.list()?;
        let head = heads.iter().find(|head| head.name() == branch);
        let head = head.with_context(|| format!("the source {} has no branch `{}`", self.remote, self.branch))?;
        revision(head.oid())
    }

    /// What this commit says of itself.
    pub fn commit(&self, id: &Revision) -> anyhow::Result<Commit> {
        let repository = self.repository()?;
        let found = repository.find_commit(oid(id)?);
        commit(&found.with_context(|| format!("the mirror has no commit {id}"))?)
    }

    /// How the branch came from an older head to a newer one. Without an older one only the newer is told.
    pub fn history(&self, from: Option<&Revision>, to: &Revision) -> anyhow::Result<History> {
        let repository = self.repository()?;
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.push(oid(to)?)?;
        let from = from.map(oid).transpose()?.filter(|from| repository.find_commit(*from).is_ok());
        let rewritten =
            from.is_some_and(|from| repository.merge_base(from, oid(to).unwrap_or(from)).ok() != Some(from));
        let limit = if from.is_some() { MAX_COMMITS } else { 1 };
        if let Some(from) = from {
            walk.hide(from)?;
        }
        let mut commits = vec![];
        for id in walk.take(limit) {
            commits.push(commit(&repository.find_commit(id?)?)?);
        }
        commits.reverse();
        Ok(History { commits, rewritten })
    }

    /// The policy files of a commit, or everything that keeps them from being read.
    pub fn files(&self, id: &Revision, folder: &str) -> anyhow::Result<Result<Vec<SourceFile>, Vec<Diagnostic>>> {
        let repository = self.repository()?;
        let commit = repository.find_commit(oid(id)?)?;
        tree::read(&repository, commit.tree_id(), folder)
    }

    fn repository(&self) -> anyhow::Result<Repository> {
        Repository::open_bare(&self.folder).with_context(|| format!("opening the mirror {}", self.folder.display()))
    }
}

/// Whether everything can be read that was fetched last. git writes without waiting for the disk.
fn is_whole(folder: &Path) -> bool {
    let Ok(repository) = Repository::open_bare(folder) else { return false };
    match repository.find_reference(HEAD) {
        Ok(head) => head.peel_to_tree().is_ok_and(|tree| holds_all_of(&repository, &tree)),
        Err(error) => error.code() == ErrorCode::NotFound,
    }
}

fn holds_all_of(repository: &Repository, tree: &Tree<'_>) -> bool {
    let Ok(odb) = repository.odb() else { return false };
    let is_missing =
        |entry: &TreeEntry<'_>| entry.kind() == Some(ObjectType::Blob) && odb.read_header(entry.id()).is_err();
    let walked = tree.walk(TreeWalkMode::PreOrder, |_, entry| match is_missing(entry) {
        true => TreeWalkResult::Abort,
        false => TreeWalkResult::Ok,
    });
    walked.is_ok()
}

fn make(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        tracing::warn!("the mirror of the source is damaged, it is fetched anew");
        std::fs::remove_dir_all(folder)?;
    }
    Repository::init_bare(folder)?;
    Ok(())
}

/// The transports bound a conversation; this bounds local paths too.
fn bounds() -> RemoteCallbacks<'static> {
    let until = Instant::now() + FETCH_TIMEOUT;
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(move |progress| progress.received_bytes() <= MAX_FETCH_BYTES && Instant::now() < until);
    callbacks
}

fn commit(commit: &git2::Commit<'_>) -> anyhow::Result<Commit> {
    let time = commit.time().seconds();
    Ok(Commit::new(revision(commit.id())?, commit.author().name_bytes(), commit.message_bytes(), time))
}

fn oid(revision: &Revision) -> anyhow::Result<Oid> {
    Ok(Oid::from_str(revision.as_str())?)
}

fn revision(oid: Oid) -> anyhow::Result<Revision> {
    Ok(Revision::new(oid.to_string())?)
}

/// The size and type of an object, without reading it.
pub(super) fn header(odb: &git2::Odb<'_>, id: Oid) -> anyhow::Result<(usize, ObjectType)> {
    Ok(odb.read_header(id)?)
}
