//! Who may name what: the dependency directions and the invariants of absence.

use super::files::{File, files, none_found, outside};
use regex::Regex;

/// A word of code, the only places that may hold it, and why.
const HOMES: &[(&str, &[&str], &str)] = &[
    (r"\bsqlx\b", &["hub/src/store"], "SQL is written once, beside the row it fills"),
    (
        r"\bgit2\b",
        &["hub/src/repository", "hub/git-transport/", "hub/tests/it/support/repository.rs"],
        "the cli commits through the hub's module",
    ),
    (r"\baskama\b", &["hub/src/pages"], "pages are rendered in one place"),
    (r"\bregorus\b", &["policy/src/engine", "policy/benches/"], "one evaluator, one wrapper"),
    (r"(^|[^:\w])cel::[a-z{A-Z]", &["policy/src/cel"], "expressions are evaluated in one place"),
    (
        r"\bkube::|\bk8s_openapi\b",
        &["agent/src/kubernetes", "agent/tests/it/manifests.rs"],
        "the agent also runs without Kubernetes",
    ),
    (r"\bthirtyfour\b", &["e2e/"], "only tests drive a browser"),
    (
        r"\bunsafe (\{|fn|impl|extern)",
        &["hub/git-transport/src/lib.rs"],
        "libgit2's registration is the one unsafe call",
    ),
];

/// A folder, what its code may not name, and why.
const ABSENT: &[(&str, &str, &str)] = &[
    ("agent/", r"\bwrit_hub\b", "hub and agent never import each other"),
    ("hub/", r"\bwrit_agent\b", "hub and agent never import each other"),
    // Budgets are measured with `Instant`; what time it is comes from the caller.
    (
        "policy/src/",
        r"\bstd::fs\b|\bstd::net::(Tcp|Udp|ToSocket)|\bstd::thread\b|\btokio\b|SystemTime::now|Timestamp::now",
        "policy is pure",
    ),
    ("policy/", r"\bwrit_(hub|agent|git_transport)\b", "policy is below everything"),
];

fn word(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// The rules name what they forbid.
fn rust_files() -> Vec<File> {
    files(".rs").into_iter().filter(|file| !file.path.starts_with("e2e/tests/it/tidy")).collect()
}

#[test]
fn crates_are_named_only_in_their_home() {
    let files = rust_files();
    for (pattern, homes, why) in HOMES {
        let strays = outside(&word(pattern), &files, homes);
        assert!(strays.is_empty(), "{pattern} outside of {homes:?} ({why}):\n{}", strays.join("\n"));
    }
}

#[test]
fn dependencies_point_one_way() {
    let files = rust_files();
    for (folder, pattern, why) in ABSENT {
        let word = word(pattern);
        let hits = files.iter().filter(|file| file.path.starts_with(folder)).flat_map(|file| {
            let hits = file.code().filter(|(_, line)| word.is_match(line));
            hits.map(|(n, line)| format!("{}:{n}: {}", file.path, line.trim())).collect::<Vec<_>>()
        });
        let hits: Vec<_> = hits.collect();
        assert!(hits.is_empty(), "{folder}: {why}:\n{}", hits.join("\n"));
    }
}

#[test]
fn only_main_and_config_read_the_environment() {
    let sources: Vec<_> = rust_files()
        .into_iter()
        .filter(|file| file.is_source() && !file.path.starts_with("e2e/"))
        .filter(|file| !file.path.ends_with("/main.rs") && !file.path.ends_with("/config.rs"))
        .collect();
    none_found(outside(&word(r"\benv::vars?(_os)?\("), &sources, &[]));
}

#[test]
fn every_task_has_an_owner() {
    let sources: Vec<_> = rust_files().into_iter().filter(File::is_source).collect();
    none_found(outside(&word(r"\btokio::(task::)?spawn\("), &sources, &[]));
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace() {
    let manifests = files("Cargo.toml").into_iter().filter(|file| file.text.contains("[package]"));
    // It needs `deny` where the workspace says `forbid`, and repeats the rest.
    // What is fuzzed with stands apart from the workspace.
    let apart = ["hub/git-transport/Cargo.toml", "fuzz/Cargo.toml"];
    let manifests = manifests.filter(|file| !apart.contains(&file.path.as_str()));
    let lax = manifests.filter(|file| !file.text.contains("[lints]\nworkspace = true"));
    none_found(lax.map(|file| format!("{}: no `[lints] workspace = true`", file.path)).collect());
}

#[test]
fn crates_come_from_the_public_registry() {
    let lock = files("Cargo.lock").into_iter().find(|file| file.path == "Cargo.lock").unwrap();
    let sources = lock.text.lines().filter(|line| line.starts_with("source = "));
    let odd = sources.filter(|line| !line.contains("registry+https://github.com/rust-lang/crates.io-index"));
    none_found(odd.map(str::to_owned).collect());
}

#[test]
fn integration_tests_are_one_binary_per_crate() {
    let strays = files(".rs").into_iter().filter(|file| {
        let mut parts = file.path.split('/').skip_while(|part| *part != "tests").skip(1);
        matches!((parts.next(), parts.next()), (Some(name), None) if name.ends_with(".rs"))
            && !file.path.contains("/src/")
    });
    none_found(strays.map(|file| format!("{}: belongs below tests/it", file.path)).collect());
}
