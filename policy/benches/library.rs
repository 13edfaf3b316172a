//! What a decision costs with gatekeeper-library: every template of the folder that `WRIT_GATEKEEPER_LIBRARY` names, with the
//! first constraint of its samples, on a Pod that most of them object to, from bytes to response body; beside plain engines
//! of the interpreter, one per template, each asked for its violations in turn.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what was measured is said beside the figures")]

use divan::Bencher;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use writ_policy::{Budget, DenyLevel, NoInventory, Outcome, PolicySet, Settings, SourceFile, answer};

/// As the agent has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const POD: &str = include_str!("failing_pod.json");
const BUDGET: Budget = Budget { per_policy: Duration::from_millis(500), per_review: Duration::from_secs(2) };

fn main() {
    let Some(folder) = library() else {
        eprintln!("skipped: WRIT_GATEKEEPER_LIBRARY names no folder with templates");
        return;
    };
    let (mut policies, loaded) = (policies(&folder), plain(&folder));
    let decided = policies.decide(POD.as_bytes(), &NoInventory, &BUDGET, 0).unwrap();
    let count = |is: fn(&Outcome) -> bool| decided.decision.results.iter().filter(|found| is(&found.outcome)).count();
    println!(
        "{} constraints, {} match the Pod, {} object, {} err; {} plain engines load",
        policies.policies().len(),
        decided.decision.results.len(),
        count(|outcome| matches!(outcome, Outcome::Fail(_))),
        count(|outcome| matches!(outcome, Outcome::Error(_))),
        loaded.len(),
    );
    // The first decisions are held against the interpreter's.
    (0..50).for_each(|_| drop(policies.decide(POD.as_bytes(), &NoInventory, &BUDGET, 0)));
    println!("decided by the interpreter alone: {:?}", policies.slow());
    println!("microseconds of the slowest: {}", slowest(&mut policies));
    divan::main();
}

/// Where the time goes, in one decision.
fn slowest(policies: &mut PolicySet) -> String {
    let decided = policies.decide(POD.as_bytes(), &NoInventory, &BUDGET, 0).unwrap();
    let mut results = decided.decision.results;
    results.sort_by_key(|result| std::cmp::Reverse(result.micros));
    let told = results.iter().take(10).map(|result| format!("{} {}", result.policy.code, result.micros));
    told.collect::<Vec<_>>().join(", ")
}

fn library() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("WRIT_GATEKEEPER_LIBRARY")?);
    (!templates(&folder).is_empty()).then_some(folder)
}

/// Bytes in, bytes out, on one core.
#[divan::bench]
fn bytes_to_response(bencher: Bencher) {
    let mut policies = policies(&library().unwrap());
    bencher.bench_local(|| {
        let decided = policies.decide(POD.as_bytes(), &NoInventory, &BUDGET, 0).unwrap();
        answer(&decided.facts, &decided.decision, Some("0123456789012345678901234567890123456789"))
    });
}

/// The engines alone, over those templates whose constraint matches the Pod.
#[divan::bench]
fn plain_interpreter(bencher: Bencher) {
    let folder = library().unwrap();
    let mut policies = policies(&folder);
    let decided = policies.decide(POD.as_bytes(), &NoInventory, &BUDGET, 0).unwrap();
    let matches = |code: &str| decided.decision.results.iter().any(|found| found.policy.code.as_str() == code);
    let mut engines: Vec<Plain> = plain(&folder).into_iter().filter(|plain| matches(&plain.code)).collect();
    bencher.bench_local(|| {
        let review = regorus::Value::from_json_str(POD).unwrap();
        engines.iter_mut().map(|plain| plain.violations(&review["request"])).collect::<Vec<_>>()
    });
}

/// The folders that hold a template, sorted.
fn templates(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let topics = entries(folder).into_iter().flat_map(|topic| entries(&topic));
    topics.filter(|folder| folder.join("template.yaml").is_file() && constraint(folder).is_some()).collect()
}

/// The first constraint among the samples.
fn constraint(template: &Path) -> Option<PathBuf> {
    let samples = std::fs::read_dir(template.join("samples")).ok()?.flatten();
    let mut paths: Vec<PathBuf> = samples.map(|sample| sample.path().join("constraint.yaml")).collect();
    paths.sort();
    paths.into_iter().find(|path| path.is_file())
}

fn policies(folder: &Path) -> PolicySet {
    let read = |number: usize, name: &str, path: &Path| {
        SourceFile::new(&format!("{number:02}/{name}.yaml"), &std::fs::read(path).unwrap()).unwrap()
    };
    let pair = |(number, template): (usize, PathBuf)| {
        let constraint = constraint(&template).unwrap();
        [read(number, "template", &template.join("template.yaml")), read(number, "constraint", &constraint)]
    };
    let files: Vec<SourceFile> = templates(folder).into_iter().enumerate().flat_map(pair).collect();
    let settings = Settings { deny_level: DenyLevel::High, ..Settings::default() };
    let (policies, report) = PolicySet::load(&files, &settings);
    report.diagnostics.iter().filter(|found| found.is_error()).for_each(|found| eprintln!("{found}"));
    policies
}

/// One template in an engine as its crate has it.
struct Plain {
    code: String,
    engine: regorus::Engine,
    rule: String,
    parameters: regorus::Value,
}

impl Plain {
    fn of(template: &Path) -> Option<Self> {
        let (constraint, template) = (yaml(&constraint(template)?)?, yaml(&template.join("template.yaml"))?);
        let target = &template["spec"]["targets"][0];
        let code = target["code"].as_array().and_then(|codes| codes.iter().find(|code| code["engine"] == "Rego"));
        let source = code.map_or(target, |code| &code["source"]);
        let rego = source["rego"].as_str()?;
        let mut engine = regorus::Engine::new();
        engine.set_rego_v0(source["version"] != "v1");
        engine.set_strict_builtin_errors(false);
        let package = engine.add_policy("template".into(), rego.into()).ok()?;
        for (number, lib) in source["libs"].as_array().into_iter().flatten().enumerate() {
            engine.add_policy(format!("lib{number}"), lib.as_str()?.into()).ok()?;
        }
        let rule = format!("{package}.violation");
        let code = format!("{}/{}", constraint["kind"].as_str()?, constraint["metadata"]["name"].as_str()?);
        let parameters = match &constraint["spec"]["parameters"] {
            Value::Null => regorus::Value::new_object(),
            parameters => parameters.clone().into(),
        };
        Some(Self { code, engine, rule, parameters })
    }

    fn violations(&mut self, request: &regorus::Value) -> Option<regorus::Value> {
        let mut input = regorus::Value::new_object();
        let fields = input.as_object_mut().unwrap();
        fields.insert("review".into(), request.clone());
        fields.insert("parameters".into(), self.parameters.clone());
        self.engine.set_input(input);
        self.engine.eval_rule(self.rule.clone()).ok()
    }
}

fn plain(folder: &Path) -> Vec<Plain> {
    templates(folder).iter().filter_map(|template| Plain::of(template)).collect()
}

/// Nothing for the one template whose indentation this reader of YAML does not take.
fn yaml(path: &Path) -> Option<Value> {
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).ok()
}
