//! `writ rollback` in an author's clone.

use crate::support::{home, writ, writ_with};
use std::fs;
use std::path::Path;
use writ_hub::repository::author::{self, Identity};

fn commit(dir: &Path, path: &str, text: &str) -> String {
    fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
    fs::write(dir.join(path), text).unwrap();
    let ada = Identity { name: "Ada".into(), email: "ada@example.com".into() };
    author::commit_all(dir, &format!("Change {path}"), &ada, Some(1_760_000_000)).unwrap().to_string()
}

#[test]
fn rollback_shows_the_revert_and_makes_it() {
    let home = home();
    let repo = home.path().join("policies");
    author::init(&repo).unwrap();
    commit(&repo, "fleet.yaml", "denyLevel: LOW\n");
    let bad = commit(&repo, "policies/mt1001.rego", "package writ.mt1001\n");
    commit(&repo, "README.md", "later\n");

    let asked = writ_with(home.path(), &["rollback", &bad[..10], "--repo", "policies"], &[]);
    assert_eq!(asked.code, 1, "without a terminal nobody can say yes");
    assert!(repo.join("policies/mt1001.rego").exists(), "nothing was changed");

    let ended = writ_with(home.path(), &["rollback", &bad[..10], "--repo", "policies", "--yes"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!repo.join("policies/mt1001.rego").exists());
    let shown = ended.stdout.replace(&bad[..10], "<bad>").replace(author::head(&repo).unwrap().as_str(), "<new>");
    insta::assert_snapshot!(shown, @r#"
    Undo <bad> "Change policies/mt1001.rego", by Ada, 2025-10-09:

      removed  policies/mt1001.rego

    1 policy would change: mt1001.

    diff --git a/policies/mt1001.rego b/policies/mt1001.rego
    deleted file mode 100644
    index 7051f76..0000000
    --- a/policies/mt1001.rego
    +++ /dev/null
    @@ -1 +0,0 @@
    -package writ.mt1001

    committed <new>
    Watch it enforced: writ wait --commit <new>
    "#);
}

#[test]
fn clone_without_identity_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("policies");
    author::init(&repo).unwrap();
    commit(&repo, "a.rego", "one\n");
    let second = commit(&repo, "a.rego", "two\n");
    let ended = writ(dir.path(), &["rollback", &second, "--repo", "policies", "--yes"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.starts_with("error: git does not know who you are"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}
