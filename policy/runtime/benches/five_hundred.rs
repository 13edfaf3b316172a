//! What it costs to check and test a repository of five hundred policies, the first time and after a change of one
//! file: copies of the template's twelve with their tests, each with a package and a code of its own. With
//! `RUST_BACKTRACE` unset.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

#[path = "../../tests/it/files.rs"]
mod files;

use divan::Bencher;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;
use writ_policy::{Settings, SourceFile};
use writ_runtime::SelfTest;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 504 policies.
const COPIES: usize = 42;

fn main() {
    divan::main();
}

/// Nothing passed yet.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn first_in_a_child(bencher: Bencher) {
    let (runtime, files) = (Runtime::new().unwrap(), repository());
    bencher.with_inputs(|| test(child())).bench_local_values(|test| runtime.block_on(passes(&test, &files)));
}

/// A commit that changes one policy.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn changed_in_a_child(bencher: Bencher) {
    changed(bencher, child(), "n07/mt1001_liveness_probe.rego");
}

/// A commit that changes a library that most policies use.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn changed_library_in_a_child(bencher: Bencher) {
    changed(bencher, child(), "lib/pod.rego");
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn changed_in_this_process(bencher: Bencher) {
    changed(bencher, None, "n07/mt1001_liveness_probe.rego");
}

/// What a worker of the agent does with a new bundle.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn load(bencher: Bencher) {
    let files = repository();
    bencher.bench_local(|| writ_policy::PolicySet::load(&files, &Settings::default()).0);
}

fn changed(bencher: Bencher, program: Option<PathBuf>, path: &str) {
    let (runtime, mut files, test) = (Runtime::new().unwrap(), repository(), test(program));
    runtime.block_on(passes(&test, &files));
    let changed = files.iter().position(|file| file.path.ends_with(path)).unwrap();
    let mut commits = 0;
    bencher.bench_local(|| {
        commits += 1;
        files[changed].text = format!("{}# {commits}\n", files[changed].text).into();
        runtime.block_on(passes(&test, &files));
    });
}

async fn passes(test: &SelfTest, files: &[SourceFile]) {
    let report = test.run(files).await.unwrap();
    assert!(report.check.is_ok(), "{:?}", report.check.diagnostics);
    assert_eq!(report.check.policies.len(), 12 * COPIES);
    assert!(report.check.diagnostics.is_empty(), "{:?}", report.check.diagnostics);
}

fn test(program: Option<PathBuf>) -> SelfTest {
    SelfTest::new(program, Duration::from_secs(60), 4 << 30)
}

fn child() -> Option<PathBuf> {
    Some(env!("CARGO_BIN_EXE_writ-self-test").into())
}

/// The template's policies and tests again and again, beside one copy of its libraries.
fn repository() -> Vec<SourceFile> {
    let template = files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-repo-template"));
    let (own, shared): (Vec<_>, Vec<_>) = template
        .into_iter()
        .filter(|file| file.path.starts_with("policies/"))
        .partition(|file| file.text.contains("package writ."));
    let copies = (0..COPIES).flat_map(|number| own.iter().map(move |file| copy(file, number)));
    shared.into_iter().chain(copies).collect()
}

fn copy(file: &SourceFile, number: usize) -> SourceFile {
    let text = file.text.replace("writ.policy_", &format!("writ.n{number:02}_policy_"));
    let text = text.replace("code: MT", &format!("code: N{number:02}MT"));
    SourceFile { path: file.path.replace("policies/", &format!("policies/n{number:02}/")), text: text.into() }
}
