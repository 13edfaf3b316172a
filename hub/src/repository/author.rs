//! An author's own clone, with a working tree: the `writ` command makes and reverts commits through this.
//! The hub itself never writes to a repository.

mod revert;

pub use revert::{Change, Revert, plan_revert, revert};

use git2::{ErrorCode, IndexAddOption, Repository, RepositoryInitOptions, Signature, Time};
use std::path::{Path, PathBuf};
use writ_policy::Revision;

/// Who a commit is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `user.name` of git.
    pub name: String,
    /// `user.email` of git.
    pub email: String,
}

/// Why a clone could not be read or written. The text is for people and says how to mend it.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AuthorError {
    #[error(
        "git does not know who you are; run `git config --global user.name \"Your Name\"` and \
         `git config --global user.email you@example.com`, then try again"
    )]
    NoIdentity,
    #[error("{} is not in a git repository; name the clone with --repo DIR", .0.display())]
    NotARepository(PathBuf),
    #[error("{} is a bare repository; this needs a clone with a working tree", .0.display())]
    Bare(PathBuf),
    #[error("{} has no commit yet", .0.display())]
    NoCommit(PathBuf),
    #[error("{0:?} is not a commit id; give at least 7 of its hex digits")]
    NotAnId(String),
    #[error("there is no commit {0} here; `git fetch` first if it is on the remote")]
    UnknownCommit(String),
    #[error("more than one commit begins with {0}; give more digits")]
    Ambiguous(String),
    #[error(
        "{commit} is a merge of {parents} commits, and which side to undo is for you to say: \
         `git revert -m 1 {commit}` undoes what was merged into the first"
    )]
    Merge { commit: String, parents: usize },
    #[error("{commit} cannot be reverted by itself, because later commits changed the same lines of {}; revert those first, or use `git revert {commit}` and resolve by hand", .paths.join(", "))]
    Conflict { commit: String, paths: Vec<String> },
    #[error("the working tree has uncommitted changes in {}; commit or stash them first", .0.join(", "))]
    Dirty(Vec<String>),
    #[error("reverting {0} changes nothing: it is undone already")]
    Undone(String),
    #[error("there is nothing to commit")]
    Nothing,
    #[error("the folder {} already holds a git repository", .0.display())]
    Exists(PathBuf),
    #[error("could not {what}")]
    Git { what: &'static str, source: git2::Error },
}

/// A result of this module.
pub type AuthorResult<T> = Result<T, AuthorError>;

/// Names what was tried when git fails for a reason that has no sentence of its own.
fn trying(what: &'static str) -> impl Fn(git2::Error) -> AuthorError {
    move |source| AuthorError::Git { what, source }
}

/// The identity that git would commit with in this folder, from its own configuration files.
pub fn identity(dir: &Path) -> AuthorResult<Identity> {
    let config = match Repository::discover(dir) {
        Ok(repository) => repository.config(),
        Err(_) => git2::Config::open_default(),
    }
    .map_err(trying("read git's configuration"))?;
    match (config.get_string("user.name"), config.get_string("user.email")) {
        (Ok(name), Ok(email)) if !name.trim().is_empty() && !email.trim().is_empty() => Ok(Identity { name, email }),
        _ => Err(AuthorError::NoIdentity),
    }
}

/// Makes an empty repository with the branch `main`. The folder may exist and hold files, but no repository.
pub fn init(dir: &Path) -> AuthorResult<()> {
    if dir.join(".git").exists() {
        return Err(AuthorError::Exists(dir.to_owned()));
    }
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main").mkpath(true);
    Repository::init_opts(dir, &options).map_err(trying("make the repository"))?;
    Ok(())
}

/// Writes the identity into the repository's own configuration, so that `git commit` in it works for everyone.
pub fn set_identity(dir: &Path, identity: &Identity) -> AuthorResult<()> {
    let repository = open(dir)?;
    let mut config = repository.config().map_err(trying("read git's configuration"))?;
    config.set_str("user.name", &identity.name).map_err(trying("write git's configuration"))?;
    config.set_str("user.email", &identity.email).map_err(trying("write git's configuration"))
}

/// Commits every change of the working tree, new and removed files included, as `git add --all; git commit` would.
/// `at` is Unix seconds; without it the commit is dated now.
pub fn commit_all(dir: &Path, message: &str, identity: &Identity, at: Option<i64>) -> AuthorResult<Revision> {
    let repository = open(dir)?;
    let failed = trying("commit");
    let mut index = repository.index().map_err(&failed)?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None).map_err(&failed)?;
    index.write().map_err(&failed)?;
    let tree = repository.find_tree(index.write_tree().map_err(&failed)?).map_err(&failed)?;
    let parent = head_commit(&repository)?;
    if parent.as_ref().is_some_and(|parent| parent.tree_id() == tree.id()) {
        return Err(AuthorError::Nothing);
    }
    let signature = signature(identity, at)?;
    let parents: Vec<_> = parent.iter().collect();
    let id = repository.commit(Some("HEAD"), &signature, &signature, message, &tree, &parents).map_err(&failed)?;
    Ok(revision(id))
}

/// The commit that the checked-out branch points to.
pub fn head(dir: &Path) -> AuthorResult<Revision> {
    let repository = open(dir)?;
    let commit = head_commit(&repository)?.ok_or_else(|| AuthorError::NoCommit(dir.to_owned()))?;
    Ok(revision(commit.id()))
}

/// Whether the repository knows a remote, so that a commit must be pushed to be seen elsewhere.
pub fn has_remote(dir: &Path) -> AuthorResult<bool> {
    let remotes = open(dir)?.remotes().map_err(trying("list remotes"))?.len();
    Ok(remotes > 0)
}

fn open(dir: &Path) -> AuthorResult<Repository> {
    let repository = Repository::discover(dir).map_err(|_| AuthorError::NotARepository(dir.to_owned()))?;
    if repository.is_bare() {
        return Err(AuthorError::Bare(dir.to_owned()));
    }
    Ok(repository)
}

fn head_commit(repository: &Repository) -> AuthorResult<Option<git2::Commit<'_>>> {
    match repository.head() {
        Ok(head) => head.peel_to_commit().map(Some).map_err(trying("read the last commit")),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(trying("read the last commit")(error)),
    }
}

fn signature(identity: &Identity, at: Option<i64>) -> AuthorResult<Signature<'static>> {
    let made = match at {
        Some(seconds) => Signature::new(&identity.name, &identity.email, &Time::new(seconds, 0)),
        None => Signature::now(&identity.name, &identity.email),
    };
    made.map_err(trying("use your name and e-mail address as a commit's author"))
}

fn revision(id: git2::Oid) -> Revision {
    Revision::new(id.to_string()).expect("a git object id is a full id in lower-case hex")
}

#[cfg(test)]
mod tests;
