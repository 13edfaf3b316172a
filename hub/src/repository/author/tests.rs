//! What an author's clone gives and takes.

use super::*;
use std::fs;

fn somebody() -> Identity {
    Identity { name: "Ada".into(), email: "ada@example.com".into() }
}

/// A repository whose commits each write one file.
fn repository(commits: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Revision>) {
    let dir = tempfile::tempdir().unwrap();
    init(dir.path()).unwrap();
    let made = commits.iter().map(|(path, text)| {
        fs::write(dir.path().join(path), text).unwrap();
        commit_all(dir.path(), &format!("Write {path}"), &somebody(), None).unwrap()
    });
    let made = made.collect();
    (dir, made)
}

#[test]
fn revert_undoes_one_commit_and_keeps_later_ones() {
    let (dir, made) = repository(&[("a.rego", "one\n"), ("b.rego", "two\n"), ("c.rego", "three\n")]);
    let plan = plan_revert(dir.path(), &made[1].as_str()[..8]).unwrap();
    assert_eq!(plan.changes, [Change { path: "b.rego".into(), kind: "removed" }]);
    assert!(dir.path().join("b.rego").exists(), "a plan changes nothing");

    let commit = revert(dir.path(), &plan, &somebody()).unwrap();

    assert_eq!(head(dir.path()).unwrap(), commit);
    assert!(!dir.path().join("b.rego").exists() && dir.path().join("c.rego").exists());
    assert!(matches!(commit_all(dir.path(), "x", &somebody(), None), Err(AuthorError::Nothing)));
    assert!(matches!(plan_revert(dir.path(), made[1].as_str()), Err(AuthorError::Undone(_))));
}

#[test]
fn conflict_names_the_files() {
    let (dir, made) = repository(&[("a.rego", "one\n"), ("a.rego", "two\n"), ("a.rego", "three\n")]);
    let error = plan_revert(dir.path(), made[1].as_str()).unwrap_err();
    assert!(matches!(&error, AuthorError::Conflict { paths, .. } if paths == &["a.rego"]), "{error}");
}

#[test]
fn uncommitted_work_is_never_overwritten() {
    let (dir, made) = repository(&[("a.rego", "one\n"), ("a.rego", "two\n")]);
    let plan = plan_revert(dir.path(), made[1].as_str()).unwrap();
    fs::write(dir.path().join("a.rego"), "mine\n").unwrap();
    let error = revert(dir.path(), &plan, &somebody()).unwrap_err();
    assert!(matches!(&error, AuthorError::Dirty(paths) if paths == &["a.rego"]), "{error}");
    assert_eq!(fs::read_to_string(dir.path().join("a.rego")).unwrap(), "mine\n");
}

#[test]
fn merge_commit_is_explained() {
    let (dir, made) = repository(&[("a.rego", "one\n"), ("b.rego", "two\n")]);
    let git = Repository::open(dir.path()).unwrap();
    let find = |revision: &Revision| git.find_commit(revision.as_str().parse().unwrap()).unwrap();
    let (first, second) = (find(&made[0]), find(&made[1]));
    let by = signature(&somebody(), None).unwrap();
    let merge = git.commit(None, &by, &by, "Merge", &second.tree().unwrap(), &[&second, &first]).unwrap();
    let error = plan_revert(dir.path(), &merge.to_string()).unwrap_err().to_string();
    assert!(error.contains("merge of 2 commits") && error.contains("git revert -m 1"), "{error}");
}

#[test]
fn text_that_is_not_an_id_is_never_looked_up() {
    let (dir, _) = repository(&[("a.rego", "one\n")]);
    for text in ["main", "HEAD~1", "abc", "@{upstream}"] {
        assert!(matches!(plan_revert(dir.path(), text), Err(AuthorError::NotAnId(_))), "{text}");
    }
    assert!(matches!(plan_revert(dir.path(), "0123456789"), Err(AuthorError::UnknownCommit(_))));
}

#[test]
fn commit_is_dated_as_asked_and_its_identity_can_be_the_repositorys_own() {
    let (dir, _) = repository(&[("a.rego", "one\n")]);
    set_identity(dir.path(), &somebody()).unwrap();
    assert_eq!(identity(dir.path()).unwrap(), somebody());
    fs::write(dir.path().join("a.rego"), "two\n").unwrap();
    let commit = commit_all(dir.path(), "x", &somebody(), Some(1_700_000_000)).unwrap();
    let plan = plan_revert(dir.path(), commit.as_str()).unwrap();
    assert_eq!((plan.at, plan.author.as_str()), (1_700_000_000, "Ada"));
    assert!(plan.patch.contains("-two") && plan.patch.contains("+one"), "{}", plan.patch);
}
