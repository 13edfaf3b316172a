//! What the self-test costs between a commit and its enforcement: the template's policies and tests, in a child
//! process and in this one; and what it costs a worker to build them.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

#[path = "../../tests/it/files.rs"]
mod files;

use divan::Bencher;
use std::sync::Arc;
use std::time::Duration;
use writ_policy::{Budget, NoNamespaces, Revision, Settings};
use writ_runtime::{Evaluator, EvaluatorConfig, SelfTest};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn in_a_child(bencher: Bencher) {
    run(bencher, Some(env!("CARGO_BIN_EXE_writ-self-test").into()));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn in_this_process(bencher: Bencher) {
    run(bencher, None);
}

fn run(bencher: Bencher, program: Option<std::path::PathBuf>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let files = files::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-repo-template"));
    let test = SelfTest { program, timeout: Duration::from_secs(60), memory: 2 << 30 };
    bencher.bench_local(|| {
        let report = runtime.block_on(test.run(&files));
        assert!(report.check.is_ok());
    });
}

#[divan::bench(args = [1, 2], sample_count = 50, sample_size = 1)]
fn apply(bencher: Bencher, workers: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let files = files::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-repo-template"));
    let files: Arc<[writ_policy::SourceFile]> = files.into();
    let config = EvaluatorConfig { workers, queue: 10, budget: Budget::default() };
    let evaluator = Evaluator::start(config, Arc::new(NoNamespaces));
    let revision = Revision::new("a".repeat(40)).unwrap();
    bencher.bench_local(|| {
        runtime.block_on(evaluator.apply(revision.clone(), files.clone(), Settings::default())).unwrap()
    });
}
