//! Undoing one commit by a new one: first the plan, that a person reads, then the commit.

use super::{AuthorError, AuthorResult, Identity, head_commit, open, revision, signature, trying};
use git2::build::CheckoutBuilder;
use git2::{Commit, Delta, ErrorCode, Oid, Repository, StatusOptions, Tree};
use std::path::Path;
use writ_policy::Revision;

/// What reverting a commit would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// The commit to undo.
    pub commit: Revision,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
    /// When, in Unix seconds.
    pub at: i64,
    /// The message of the commit that would be made.
    pub message: String,
    /// What would change, by path.
    pub changes: Vec<Change>,
    /// The same as a unified diff.
    pub patch: String,
    tree: Oid,
}

/// One file that a revert touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path within the repository.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub kind: &'static str,
}

/// What reverting this commit (at least 7 hex digits, or `HEAD`) would change. Writes nothing but loose objects.
pub fn plan_revert(dir: &Path, commit: &str) -> AuthorResult<Revert> {
    let repository = open(dir)?;
    let head = head_commit(&repository)?.ok_or_else(|| AuthorError::NoCommit(dir.to_owned()))?;
    let commit = find_commit(&repository, &head, commit)?;
    let tree = reverted_tree(&repository, &commit, &head)?;
    let (changes, patch) = describe(&repository, &head, &tree)?;
    let subject = commit.summary().ok().flatten().unwrap_or_default().to_owned();
    Ok(Revert {
        message: format!("Revert \"{subject}\"\n\nThis reverts commit {}.\n", commit.id()),
        author: commit.author().name().unwrap_or_default().to_owned(),
        at: commit.time().seconds(),
        commit: revision(commit.id()),
        subject,
        changes,
        patch,
        tree: tree.id(),
    })
}

/// Makes the planned commit on the checked-out branch and brings the working tree along.
pub fn revert(dir: &Path, plan: &Revert, identity: &Identity) -> AuthorResult<Revision> {
    let repository = open(dir)?;
    let failed = trying("make the revert commit");
    let head = head_commit(&repository)?.ok_or_else(|| AuthorError::NoCommit(dir.to_owned()))?;
    refuse_uncommitted(&repository, plan)?;
    let tree = repository.find_tree(plan.tree).map_err(&failed)?;
    repository.checkout_tree(tree.as_object(), Some(CheckoutBuilder::new().safe())).map_err(&failed)?;
    let signature = signature(identity, None)?;
    let id =
        repository.commit(Some("HEAD"), &signature, &signature, &plan.message, &tree, &[&head]).map_err(&failed)?;
    Ok(revision(id))
}

/// An id by its leading digits. Never a revision expression: what a person typed is not a query language.
fn find_commit<'r>(repository: &'r Repository, head: &Commit<'r>, text: &str) -> AuthorResult<Commit<'r>> {
    if text == "HEAD" {
        return Ok(head.clone());
    }
    let digits = text.to_ascii_lowercase();
    if !(7..=64).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(AuthorError::NotAnId(text.to_owned()));
    }
    repository.find_commit_by_prefix(&digits).map_err(|error| match error.code() {
        ErrorCode::Ambiguous => AuthorError::Ambiguous(digits),
        _ => AuthorError::UnknownCommit(digits),
    })
}

fn reverted_tree<'r>(repository: &'r Repository, commit: &Commit<'r>, head: &Commit<'r>) -> AuthorResult<Tree<'r>> {
    let short = commit.id().to_string()[..10].to_owned();
    if commit.parent_count() > 1 {
        return Err(AuthorError::Merge { commit: short, parents: commit.parent_count() });
    }
    let failed = trying("work out the revert");
    let mut index = repository.revert_commit(commit, head, 0, None).map_err(&failed)?;
    if index.has_conflicts() {
        return Err(AuthorError::Conflict { commit: short, paths: conflicts(&index)? });
    }
    let tree = index.write_tree_to(repository).map_err(&failed)?;
    if tree == head.tree_id() {
        return Err(AuthorError::Undone(short));
    }
    repository.find_tree(tree).map_err(&failed)
}

fn conflicts(index: &git2::Index) -> AuthorResult<Vec<String>> {
    let mut paths = Vec::new();
    for conflict in index.conflicts().map_err(trying("list conflicts"))?.flatten() {
        let entry = conflict.our.or(conflict.their).or(conflict.ancestor);
        paths.extend(entry.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()));
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn describe(repository: &Repository, head: &Commit<'_>, tree: &Tree<'_>) -> AuthorResult<(Vec<Change>, String)> {
    let failed = trying("compare the trees");
    let before = head.tree().map_err(&failed)?;
    let diff = repository.diff_tree_to_tree(Some(&before), Some(tree), None).map_err(&failed)?;
    let changes = diff.deltas().map(|delta| {
        let path = delta.new_file().path().or(delta.old_file().path()).unwrap_or(Path::new(""));
        let kind = match delta.status() {
            Delta::Added => "added",
            Delta::Deleted => "removed",
            _ => "changed",
        };
        Change { path: path.to_string_lossy().into_owned(), kind }
    });
    let changes = changes.collect();
    let mut patch = String::new();
    diff.print(git2::DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            patch.push(line.origin());
        }
        patch.push_str(&String::from_utf8_lossy(line.content()));
        true
    })
    .map_err(failed)?;
    Ok((changes, patch))
}

fn refuse_uncommitted(repository: &Repository, plan: &Revert) -> AuthorResult<()> {
    let statuses = repository
        .statuses(Some(StatusOptions::new().include_untracked(true).recurse_untracked_dirs(true)))
        .map_err(trying("read the state of the working tree"))?;
    let staged = statuses.iter().filter(|entry| {
        let touched = plan.changes.iter().any(|change| entry.path().is_ok_and(|path| path == change.path));
        touched || entry.status().is_index_new() || entry.status().is_index_modified()
    });
    let paths: Vec<String> = staged.map(|entry| entry.path().unwrap_or_default().to_owned()).collect();
    if paths.is_empty() { Ok(()) } else { Err(AuthorError::Dirty(paths)) }
}
