//! What existing objects cost: how long a full pass of audit takes on one core, how much memory, how many requests, whether
//! every violation reaches the hub, and how soon a changed object is judged again; and what an agent needs that only
//! waits, alone and beside many replicated objects.
//!
//! `MIMALLOC_PURGE_DELAY=0 cargo run --profile dist -p writ-agent --example existing`. The agent is a child process
//! with all its parts, kept to one core where it says so; this process is its API server and its hub, on the second. `WRIT_GATEKEEPER_LIBRARY`
//! names the folder `library` of gatekeeper-library; without it that part is skipped by name.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "a measure that fails should say where, and shares a part"
)]

mod api_server;
mod objects;
#[path = "../load/prepare.rs"]
mod prepare;
#[path = "../load/server.rs"]
mod server;

use api_server::ApiServer;
use prepare::Prepared;
use serde_json::{Value, json};
use server::Server;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use writ_policy::wire::{Report, ViolationKey};
use writ_policy::{Budget, DenyLevel, NoInventory, PolicySet, Settings, SourceFile};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(writ_runtime::self_test::SUBCOMMAND) => writ_runtime::self_test::run_child(),
        Some("agent-on-cores") => server::be_agent_on_cores(&arguments[1..]),
        only => {
            server::keep_to(1..2);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(measure(only));
            std::process::ExitCode::SUCCESS
        }
    }
}

/// All of it, or one part.
async fn measure(only: Option<&str>) {
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    if wanted("idle") {
        idle().await;
    }
    if wanted("template") {
        audit("10,000 Pods, the template, one core", 1, prepare::template(), objects::pods(10_000)).await;
    }
    if wanted("library") {
        match objects::library() {
            Some(files) => {
                for (name, cores) in [("one core", 1), ("two cores", 2)] {
                    let name = format!("5,000 Pods, gatekeeper-library, {name}");
                    audit(&name, cores, files.clone(), objects::failing_pods(5_000)).await;
                }
            }
            None => println!("SKIPPED 5,000 Pods: WRIT_GATEKEEPER_LIBRARY names no folder with templates"),
        }
    }
}

/// What reached the hub.
#[derive(Default)]
struct Told {
    open: HashSet<ViolationKey>,
    passes: usize,
}

async fn audit(name: &str, cores: usize, files: Vec<SourceFile>, pods: Vec<Value>) {
    let told = Arc::new(Mutex::new(Told::default()));
    let settings = Settings { deny_level: DenyLevel::High, ..Settings::default() };
    let each = objections(&files, &settings, &pods[0]);
    let expected = each * pods.len();
    let prepared = Prepared::of(files, settings, reader(told.clone())).await;
    println!(
        "\n{name}: {} policies, each Pod has {} bytes and fails {each}",
        prepared.policies,
        pods[0].to_string().len()
    );
    let server = ApiServer::start(&[("v1", "Pod", "pods", pods.clone())]).await;
    let agent = Server::in_cluster(&prepared, &server.kubeconfig(), cores).await;
    until("the pass ends", || told.lock().unwrap().passes > 0).await;
    until("every violation is told", || told.lock().unwrap().open.len() >= expected).await;
    let kept = told.lock().unwrap().open.len();
    println!("full pass, lists included:      {:.2} s", agent.metric("writ_agent_audit_pass_duration_seconds").await);
    println!("the list alone:                 {:.2} s from first to last page", server.listed_in("pods").as_secs_f64());
    println!("processor time, start included: {:.2} s", agent.cpu().as_secs_f64());
    println!("violations at the hub:          {kept} of {expected}");
    let busiest = server.busiest_second();
    println!("most requests in a second:      {}, {}", busiest.len(), grouped(&busiest));
    println!("resident after:                 {}", agent.resident());
    println!("resident at most:               {:.1} MiB", agent.peak_mib());
    assert_eq!(kept, expected);
    rejudge(&server, &agent, &told, pods[0].clone()).await;
}

/// How many of each, without what they ask for.
fn grouped(requests: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for request in requests {
        *counts.entry(request.split('?').next().unwrap_or_default()).or_default() += 1;
    }
    counts.iter().map(|(request, count)| format!("{count} {request}")).collect::<Vec<_>>().join(", ")
}

/// One Pod is gone, as the watch has it; then it is back.
async fn rejudge(server: &ApiServer, agent: &Server, told: &Mutex<Told>, mut pod: Value) {
    let before = told.lock().unwrap().open.len();
    let judged = agent.metric("writ_agent_audit_judged_total").await;
    pod["spec"]["containers"] = json!([]);
    let start = Instant::now();
    server.change("pods", &pod);
    while agent.metric("writ_agent_audit_judged_total").await <= judged {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("a changed Pod is judged after:  {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    until("the hub hears of it", || told.lock().unwrap().open.len() < before).await;
    println!("the hub hears of it after:      {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
}

async fn idle() {
    let quiet = || Settings { sync: vec!["v1/Service".into()], ..Settings::default() };
    let mut files = prepare::template();
    files.push(objects::reads_services());
    for (name, services) in [("idle, nothing replicated", 0), ("idle, 10,000 Services replicated", 10_000)] {
        let prepared = Prepared::of(files.clone(), quiet(), Arc::new(|_| {})).await;
        let services = objects::services(services);
        let bytes: usize = services.iter().map(|service| service.to_string().len()).sum();
        println!("\n{name}: {} KiB of JSON", bytes >> 10);
        let server = ApiServer::start(&[("v1", "Service", "services", services.clone())]).await;
        let started = Instant::now();
        let agent = Server::in_cluster(&prepared, &server.kubeconfig(), 1).await;
        println!("start to listening, from cache: {} ms", agent.ready_ms);
        let replicated = services.len() as f64;
        while agent.metric("writ_agent_replicated_objects").await < replicated
            || agent.metric("writ_agent_audit_last_pass_timestamp_seconds").await == 0.0
        {
            assert!(started.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        println!("resident, audited, at rest:     {}", agent.resident());
        println!("resident at most:               {:.1} MiB", agent.peak_mib());
    }
}

fn reader(told: Arc<Mutex<Told>>) -> prepare::Reader {
    Arc::new(move |report: &Report| {
        let mut told = told.lock().unwrap();
        let of_pods = report.violations.iter().filter(|violation| violation.key.kind == "Pod");
        told.open.extend(of_pods.map(|violation| violation.key.clone()));
        for fixed in &report.fixed {
            told.open.remove(&fixed.key);
        }
        told.passes += report.audits.len();
    })
}

/// How many policies object to the Pod, asked without the agent.
fn objections(files: &[SourceFile], settings: &Settings, pod: &Value) -> usize {
    let (mut policies, _) = PolicySet::load(files, settings);
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let resource = json!({"group": "", "version": "v1", "resource": "pods"});
    let metadata = &pod["metadata"];
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource,
        "name": metadata["name"], "namespace": metadata["namespace"], "operation": "CREATE", "userInfo": {},
        "object": pod, "oldObject": null, "dryRun": false, "options": {"kind": "CreateOptions"},
    }});
    let budget = Budget { per_policy: Duration::from_secs(1), per_review: Duration::from_secs(5) };
    let decided = policies.decide(review.to_string().as_bytes(), &NoInventory, &budget, 0).unwrap();
    decided.decision.objections().count()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
