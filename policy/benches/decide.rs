//! What a decision costs: the template's twelve policies on a 7 KB Deployment with three containers, from bytes to
//! response body, beside one engine that evaluates all twelve through an entrypoint rule on the same input.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

#[path = "../tests/it/files.rs"]
mod files;

use divan::Bencher;
use divan::counter::ItemsCount;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use writ_policy::{Budget, DenyLevel, NoInventory, PolicySet, Settings, answer};

/// As the agent has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DEPLOYMENT: &str = include_str!("deployment.json");
const BUDGET: Budget = Budget { per_policy: Duration::from_millis(500), per_review: Duration::from_secs(2) };

fn main() {
    divan::main();
}

fn policies() -> PolicySet {
    let settings = Settings { deny_level: DenyLevel::High, ..Settings::default() };
    let (policies, report) = PolicySet::load(&files::template(), &settings);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    policies
}

/// Bytes in, bytes out, on one core.
#[divan::bench]
fn bytes_to_response(bencher: Bencher) {
    let mut policies = policies();
    bencher.bench_local(|| respond(&mut policies));
}

/// The same work on two threads, each with policies of its own that it loaded before; compare the items a second.
#[divan::bench(args = [1, 2], sample_size = 1, sample_count = 20)]
fn thousand_per_thread(bencher: Bencher, threads: usize) {
    let go = Barrier::new(threads + 1);
    let done = Barrier::new(threads + 1);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut policies = policies();
                while !wait(&go, &stop) {
                    (0..1_000).for_each(|_| drop(divan::black_box(respond(&mut policies))));
                    done.wait();
                }
            });
        }
        bencher.counter(ItemsCount::new(1_000 * threads)).bench_local(|| {
            go.wait();
            done.wait();
        });
        stop.store(true, Ordering::Release);
        go.wait();
    });
}

/// Waits for the others; whether the bench is over.
fn wait(go: &Barrier, stop: &AtomicBool) -> bool {
    go.wait();
    stop.load(Ordering::Acquire)
}

/// Only the way from bytes to the facts and the engine's value: a kind that no policy targets.
#[divan::bench]
fn parse_only(bencher: Bencher) {
    let mut policies = policies();
    let review = DEPLOYMENT.replace("\"kind\":\"Deployment\"", "\"kind\":\"Nothing123\"");
    bencher.bench_local(|| policies.decide(review.as_bytes(), &NoInventory, &BUDGET, 0));
}

fn respond(policies: &mut PolicySet) -> Vec<u8> {
    let decided = policies.decide(DEPLOYMENT.as_bytes(), &NoInventory, &BUDGET, 0).unwrap();
    answer(&decided.facts, &decided.decision, Some("0123456789012345678901234567890123456789"))
}

/// One engine with all policies, and a rule that asks each of them, as one would write it for OPA.
#[divan::bench]
fn entrypoint_rule(bencher: Bencher) {
    let mut engine = entrypoint();
    bencher.bench_local(|| {
        let review = regorus::Value::from_json_str(DEPLOYMENT).unwrap();
        let mut input = regorus::Value::new_object();
        let fields = input.as_object_mut().unwrap();
        fields.insert("review".into(), review["request"].clone());
        fields.insert("parameters".into(), regorus::Value::new_object());
        engine.set_input(input);
        engine.eval_rule("data.entrypoint.answer".into()).unwrap().to_json_str().unwrap()
    });
}

const ENTRYPOINT: &str = r#"
package entrypoint

kind := input.review.kind.kind

messages contains msg if {
    some name, policy in data.writ
    kind in data.targets[name]
    some msg in policy.deny
}

answer := {"response": {"uid": input.review.uid, "allowed": count(messages) == 0,
    "status": {"code": 403, "message": concat(", ", sort(messages))}}}
"#;

fn entrypoint() -> regorus::Engine {
    let mut engine = regorus::Engine::new();
    engine.set_strict_builtin_errors(false);
    let mut targets = serde_json::Map::new();
    for file in files::template().iter().filter(|file| file.is_rego() && !file.is_test()) {
        engine.add_policy(file.path.clone(), file.text.to_string()).unwrap();
    }
    for info in policies().policies() {
        let kinds: Vec<&str> = info.kinds.iter().filter_map(|kind| kind.rsplit('/').next()).collect();
        targets.insert(info.name.as_str().replace('-', "_"), kinds.into());
    }
    engine.add_policy("entrypoint.rego".into(), ENTRYPOINT.into()).unwrap();
    engine.add_data(serde_json::json!({ "targets": targets }).into()).unwrap();
    engine
}
