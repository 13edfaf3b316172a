//! What the self-test costs between a commit and its enforcement: the template's policies and tests, the
//! first time and after a change of one policy; and what it costs a worker to build them. Without `RUST_BACKTRACE`.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

#[path = "../../tests/it/files.rs"]
mod files;

use divan::Bencher;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use writ_policy::{Budget, NoInventory, Revision, Settings, SourceFile};
use writ_runtime::{Evaluator, EvaluatorConfig, SelfTest};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// Nothing passed yet.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn first_in_a_child(bencher: Bencher) {
    let (runtime, files) = (runtime(), template());
    bencher.with_inputs(|| test(child())).bench_local_values(|test| runtime.block_on(passes(&test, &files)));
}

/// A commit that changes one policy.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn changed_in_a_child(bencher: Bencher) {
    changed(bencher, child());
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn changed_in_this_process(bencher: Bencher) {
    changed(bencher, None);
}

fn changed(bencher: Bencher, program: Option<PathBuf>) {
    let (runtime, mut files, test) = (runtime(), template(), test(program));
    runtime.block_on(passes(&test, &files));
    let policy = files.iter().position(|file| file.path.ends_with("mt1001_liveness_probe.rego")).unwrap();
    let mut commits = 0;
    bencher.bench_local(|| {
        commits += 1;
        files[policy].text = format!("{}# {commits}\n", files[policy].text).into();
        runtime.block_on(passes(&test, &files));
    });
}

async fn passes(test: &SelfTest, files: &[SourceFile]) {
    let report = test.run(files).await.unwrap();
    assert!(report.check.is_ok(), "{:?}", report.check.diagnostics);
}

fn test(program: Option<PathBuf>) -> SelfTest {
    SelfTest::new(program, Duration::from_secs(60), 2 << 30)
}

fn child() -> Option<PathBuf> {
    Some(env!("CARGO_BIN_EXE_writ-self-test").into())
}

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

fn template() -> Vec<SourceFile> {
    files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-repo-template"))
}

#[divan::bench(args = [1, 2], sample_count = 50, sample_size = 1)]
fn apply(bencher: Bencher, workers: usize) {
    let runtime = runtime();
    let files: Arc<[SourceFile]> = template().into();
    let config = EvaluatorConfig { workers, queue: 10, budget: Budget::default() };
    let evaluator = Evaluator::start(config, Arc::new(NoInventory));
    let revision = Revision::new("a".repeat(40)).unwrap();
    bencher.bench_local(|| {
        runtime.block_on(evaluator.apply(revision.clone(), files.clone(), Settings::default())).unwrap()
    });
}
