//! What a repository may hold, and what bad ones get: recorded with file and reason, last good one kept.

use crate::support::{TestHub, TestRepository, policy};
use serde_json::Value;

/// Spoils the repository, and expects the commit to be refused with these diagnostics while the first stays served.
async fn refused(spoil: impl FnOnce(&mut TestRepository) -> &mut TestRepository, expected: &[&str]) {
    let mut hub = TestHub::new().await;
    let good = hub.served().await;
    spoil(&mut hub.repository);
    let bad = hub.commit("Spoil it").await;
    let revision = hub.revision(&bad).await;
    assert_eq!(revision["state"], "refused", "{revision}");
    let found = diagnostics(&revision);
    for text in expected {
        assert!(found.contains(text), "{text:?} is not in {found}");
    }
    assert_eq!(hub.served().await, good, "the last good revision stays");
}

fn diagnostics(revision: &Value) -> String {
    let all = revision["diagnostics"].as_array().unwrap();
    all.iter().map(|one| format!("{}:{}: {}\n", one["path"], one["line"], one["message"])).collect()
}

#[tokio::test]
async fn bad_rego_is_recorded_with_its_line() {
    let broken = policy("TEST1", "no").replace("true\n}", "x := \n}");
    refused(|repository| repository.write("test1.rego", broken), &["\"test1.rego\":11"]).await;
}

#[tokio::test]
async fn symbolic_link_is_refused() {
    refused(|repository| repository.symlink("x.rego", "/etc/passwd"), &["\"x.rego\"", "a symbolic link"]).await;
    refused(|repository| repository.symlink("sub", "../.."), &["\"sub\"", "a symbolic link"]).await;
}

#[tokio::test]
async fn submodule_is_refused() {
    refused(|repository| repository.submodule("vendor"), &["\"vendor\"", "a submodule"]).await;
}

#[tokio::test]
async fn path_out_of_the_repository_is_refused() {
    refused(|repository| repository.write("../x.rego", "package x"), &["\"..\"", "`..`"]).await;
    refused(|repository| repository.write("a/../../x.rego", "package x"), &["\"a/..\""]).await;
    refused(|repository| repository.write(".git/x.rego", "package x"), &["\".git\""]).await;
    refused(|repository| repository.write("a\nb.rego", "package x"), &["control character"]).await;
}

#[tokio::test]
async fn huge_file_is_refused_by_its_size() {
    let zeros = vec![0; 50 << 20];
    refused(|repository| repository.write("big.rego", &zeros), &["\"big.rego\"", "52428800 bytes"]).await;
    refused(|repository| repository.write("big.bin", &zeros), &["\"big.bin\"", "52428800 bytes"]).await;
}

#[tokio::test]
async fn hundred_thousand_files_are_refused() {
    let many = |repository: &mut TestRepository| {
        let blob = repository.blob("x");
        for n in 0..100_001 {
            repository.link(&format!("docs/{:02}/{n:06}.txt", n % 50), blob);
        }
    };
    refused(
        |repository| {
            many(repository);
            repository
        },
        &["more than 100000 files and folders"],
    )
    .await;
    refused(
        |repository| {
            let blob = repository.blob("# one file of many\npackage many");
            for n in 0..10_001 {
                repository.link(&format!("many/{n:05}.rego"), blob);
            }
            repository
        },
        &["more than", "files"],
    )
    .await;
}

#[tokio::test]
async fn compression_bomb_is_refused_by_its_size() {
    // A gigabyte of zeros is a megabyte in the repository; its size is known before it is unpacked.
    let zeros = vec![0; 200 << 20];
    refused(|repository| repository.write("bomb.rego", &zeros), &["\"bomb.rego\"", "209715200 bytes"]).await;
    // One blob, thousands of times: each tree is small, and so is what git stores.
    refused(
        |repository| {
            let blob = repository.blob("#".repeat(900_000));
            for n in 0..200 {
                repository.link(&format!("bomb/{n:03}.rego"), blob);
            }
            repository
        },
        &["files or", "bytes"],
    )
    .await;
}

#[tokio::test]
async fn bad_yaml_and_text_that_is_not_utf8_are_refused_with_their_line() {
    let yaml = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: [\n";
    refused(|repository| repository.write("fleet.yaml", yaml), &["\"fleet.yaml\":"]).await;
    refused(|repository| repository.write("x.yaml", b"a: b\nc: \xff"), &["\"x.yaml\":2", "not UTF-8"]).await;
}

#[tokio::test]
async fn two_paths_that_differ_in_case_alone_are_refused() {
    refused(|repository| repository.write("TEST1.rego", "package x"), &["only in upper and lower case"]).await;
}

#[tokio::test]
async fn everything_refused_is_told_at_once() {
    refused(
        |repository| repository.symlink("a.rego", "x").submodule("b").write("c.rego", b"\xff"),
        &["\"a.rego\"", "\"b\"", "\"c.rego\""],
    )
    .await;
}

#[tokio::test]
async fn hidden_folders_and_other_files_are_left_alone() {
    let mut hub = TestHub::new().await;
    hub.repository.write(".github/workflows/ci.yaml", "a: [").write("logo.png", b"\x89PNG").symlink(".env", "x");
    let revision = hub.commit("Add what is not policy").await;
    assert_eq!(hub.revision(&revision).await["state"], "served");
}

#[tokio::test]
async fn only_the_policy_path_is_read() {
    let mut hub = TestHub::empty(&["--path", "policies/"]).await;
    hub.repository.write("broken.rego", "nonsense").write("policies/test1.rego", policy("TEST1", "no"));
    let revision = hub.commit("First").await;
    assert_eq!(hub.revision(&revision).await["state"], "served");
    hub.repository.remove("policies/test1.rego");
    let gone = hub.commit("Move the folder away\n\nWrit-Allow-Removal: yes").await;
    assert!(diagnostics(&hub.revision(&gone).await).contains("the folder is not in this commit"));
    assert_eq!(hub.served().await, revision.as_str());
}

#[tokio::test]
async fn source_that_cannot_be_read_is_said_and_the_last_good_stays() {
    let mut hub = TestHub::new().await;
    let good = hub.served().await;
    let elsewhere = hub.repository.path().with_extension("away");
    std::fs::rename(hub.repository.path(), &elsewhere).unwrap();
    let error = hub.hub.follower.look().await.unwrap_err().to_string();
    std::fs::rename(&elsewhere, hub.repository.path()).unwrap();
    assert!(error.contains("cannot be fetched"), "{error}");
    assert_eq!(hub.served().await, good);
    hub.sync().await;
}

#[tokio::test]
async fn branch_that_is_not_there_is_an_error_with_its_name() {
    let mut hub = TestHub::empty(&[]).await;
    let error = hub.hub.follower.look().await.unwrap_err().to_string();
    assert!(error.contains("no branch `main`"), "{error}");
}
