//! The hub's own bare copy of the source. One branch is fetched into it; nothing is ever checked out, and no text of
//! the repository becomes a reference, a path or a command.

use super::commit::Commit;
use super::reference::Reference;
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

/// A bare mirror. Every call works on the disk and blocks.
#[derive(Debug, Clone)]
pub struct Mirror {
    folder: PathBuf,
    remote: Remote,
    reference: Reference,
}

/// A commit's signature, and what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Armored, as it stands in the commit.
    pub text: Vec<u8>,
    /// The commit without it.
    pub signed: Vec<u8>,
}

impl Mirror {
    /// Opens the mirror in this folder. One that is not there, or that a power cut spoilt, is made anew: it is a copy.
    pub fn open(folder: &Path, remote: Remote, reference: Reference) -> anyhow::Result<Self> {
        if !is_whole(folder) {
            make(folder).with_context(|| format!("the mirror {} cannot be made", folder.display()))?;
        }
        Ok(Self { folder: folder.to_owned(), remote, reference })
    }

    /// Fetches the branch or tag and says which commit it points to.
    pub fn fetch(&self) -> anyhow::Result<Revision> {
        let repository = self.repository()?;
        let mut remote = repository.remote_anonymous(&self.remote.to_string())?;
        let name = self.reference.full_name();
        let mut options = FetchOptions::new();
        options.download_tags(AutotagOption::None).remote_callbacks(bounds());
        let fetched = remote.fetch(&[format!("+{name}:{HEAD}")], Some(&mut options), None);
        fetched.map_err(|error| anyhow!("the source {} cannot be fetched: {}", self.remote, error.message()))?;
        // libgit2 says nothing when the reference is not there, and leaves what was fetched before.
        let heads = remote.list()?;
        let head = heads.iter().find(|head| head.name() == name);
        let head = head.with_context(|| format!("the source {} has no {}", self.remote, self.reference))?;
        let object = repository.find_object(head.oid(), None);
        let object = object.with_context(|| format!("the mirror lacks what {} points to", self.reference))?;
        let commit = object.peel_to_commit().ok().with_context(|| format!("{} names no commit", self.reference))?;
        revision(commit.id())
    }

    /// What this commit says of itself.
    pub fn commit(&self, id: &Revision) -> anyhow::Result<Commit> {
        let repository = self.repository()?;
        let found = repository.find_commit(oid(id)?);
        commit(&found.with_context(|| format!("the mirror has no commit {id}"))?)
    }

    /// Whether the newer commit is the older one, or came after it. An older one that nobody has is in no history.
    pub fn follows(&self, newer: &Revision, older: &Revision) -> anyhow::Result<bool> {
        let (repository, newer, older) = (self.repository()?, oid(newer)?, oid(older)?);
        if repository.find_commit(older).is_err() {
            return Ok(false);
        }
        Ok(newer == older || repository.graph_descendant_of(newer, older)?)
    }

    /// The commits after an older head up to a newer one, oldest first; the newest `limit` of them. Without an older
    /// one only the newer is told.
    pub fn since(&self, older: Option<&Revision>, newer: &Revision, limit: usize) -> anyhow::Result<Vec<Commit>> {
        let repository = self.repository()?;
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.push(oid(newer)?)?;
        let older = older.map(oid).transpose()?.filter(|older| repository.find_commit(*older).is_ok());
        let limit = if older.is_some() { limit } else { 1 };
        if let Some(older) = older {
            walk.hide(older)?;
        }
        let mut commits = vec![];
        for id in walk.take(limit) {
            commits.push(commit(&repository.find_commit(id?)?)?);
        }
        commits.reverse();
        Ok(commits)
    }

    /// The signature of a commit, if it has one.
    pub fn signature(&self, id: &Revision) -> anyhow::Result<Option<Signature>> {
        match self.repository()?.extract_signature(&oid(id)?, None) {
            Ok((text, signed)) => Ok(Some(Signature { text: text.to_vec(), signed: signed.to_vec() })),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error).context("reading the commit's signature"),
        }
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
