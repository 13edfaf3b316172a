//! Objects judged as admission would judge them: by the repository's PolicySet, the settings of a cluster's labels, and
//! the clock.

use super::inventory::Files;
use super::load::{self, Given};
use super::objects::{Found, Objects};
use super::review::{self, Request};
use crate::arguments::Eval;
use crate::check;
use crate::inputs::Parser;
use crate::output::{Entry, Group, Place, Results, Status};
use crate::terminal;
use anyhow::Context;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use writ_policy::{Action, Budget, Decided, Labels, Outcome, PolicyResult, PolicySet};

/// What judged, in outputs that name it.
const NAMESPACE: &str = "admission";

pub(super) fn run(options: &Eval) -> anyhow::Result<Results> {
    let objects = Objects::read(&read(&options.files, options)?);
    let cluster = Objects::read(&read_cluster(options)?);
    let request = Request {
        operation: options.operation,
        user: &options.user,
        groups: &options.groups,
        namespace: &options.default_namespace,
    };
    let inventory = Files::of(cluster.found.iter().chain(&objects.found), &request);
    let mut policies = policies(options)?;
    let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for (file, error) in objects.unreadable.iter().chain(&cluster.unreadable) {
        let place = Place { file: None, line: error.line, column: error.column };
        let entry = Entry { place, rule: "unreadable".into(), ..Entry::new(Status::Failed, &*error.reason) };
        groups.entry(file.clone()).or_default().push(entry);
    }
    let now = jiff::Timestamp::now().as_millisecond();
    for found in &objects.found {
        let decided = policies.decide(&review::build(found, &request), &inventory, &Budget::default(), now);
        let decided = decided.with_context(|| format!("{}:{}", found.file, found.line))?;
        groups.entry(found.file.clone()).or_default().extend(entries(found, &decided));
    }
    tell_others(&objects, groups.is_empty())?;
    let group = |(file, entries)| Group { file, namespace: NAMESPACE.into(), entries };
    Ok(Results { groups: groups.into_iter().map(group).collect(), hides_exempted: options.suppress_exceptions })
}

fn read(paths: &[String], options: &Eval) -> anyhow::Result<Vec<Given>> {
    let is_manifest = |parser| matches!(parser, Parser::Yaml | Parser::Json);
    let ignore = load::pattern(options.ignore.as_deref())?;
    let given = load::read(paths, options.parser, is_manifest, ignore.as_ref())?;
    if let Some(other) = given.iter().find(|file| !is_manifest(file.parser)) {
        anyhow::bail!("{} holds no Kubernetes objects; other configurations are judged with --conftest", other.path);
    }
    Ok(given)
}

fn read_cluster(options: &Eval) -> anyhow::Result<Vec<Given>> {
    let paths: Vec<String> = options.namespaces.iter().map(|dir| dir.to_string_lossy().into_owned()).collect();
    if paths.is_empty() { Ok(vec![]) } else { read(&paths, options) }
}

/// The repository's policies, compiled, or everything that is wrong with them.
fn policies(options: &Eval) -> anyhow::Result<PolicySet> {
    let labels: Labels = options.cluster_labels.iter().cloned().collect();
    let folder = crate::files::read(&options.policies)?;
    let fleet = writ_policy::check(&folder.files).fleet;
    let files = fleet.served_to(&labels, &folder.files);
    let (policies, report) = PolicySet::load(&files, &fleet.settings_for(&labels));
    let found = [folder.refused, report.diagnostics].concat();
    let errors: Vec<_> = found.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    if !errors.is_empty() {
        terminal::complain(check::snippets(&folder.files, errors.iter().copied()).trim_end());
        anyhow::bail!("the policies of {} do not load, so nothing was judged", options.policies.display());
    }
    anyhow::ensure!(!policies.policies().is_empty(), "{} holds no policies", options.policies.display());
    Ok(policies)
}

/// One entry per message; a policy without objection is one pass.
fn entries(found: &Found, decided: &Decided) -> Vec<Entry> {
    let one = |result: &PolicyResult| {
        let status = status(result);
        let messages = if result.outcome == Outcome::Pass { vec![String::new()] } else { result.messages() };
        let entry = |message: String| Entry {
            rule: result.policy.code.as_str().to_owned(),
            place: if status == Status::Passed {
                Place::default()
            } else {
                Place { line: found.line, ..Place::default() }
            },
            metadata: metadata(decided, result),
            ..Entry::new(status, if message.is_empty() { message } else { format!("{}: {message}", subject(decided)) })
        };
        messages.into_iter().map(entry).collect::<Vec<_>>()
    };
    decided.decision.results.iter().flat_map(one).collect()
}

fn status(result: &PolicyResult) -> Status {
    match result.action() {
        _ if result.exemption.is_some() => Status::Exempted,
        Some(Action::Deny) => Status::Failed,
        Some(Action::Warn) => Status::Warned,
        // Recorded and not said to those who apply; here it is said that nothing comes of it.
        Some(Action::Dryrun) => Status::Exempted,
        None => Status::Passed,
    }
}

/// `Deployment shop/web`.
fn subject(decided: &Decided) -> String {
    let facts = &decided.facts;
    let kind = facts.kind.rsplit('/').next().unwrap_or(&facts.kind);
    match facts.namespace.as_str() {
        namespace if namespace.is_empty() || kind == "Namespace" => format!("{kind} {}", facts.name),
        namespace => format!("{kind} {namespace}/{}", facts.name),
    }
}

fn metadata(decided: &Decided, result: &PolicyResult) -> Map<String, serde_json::Value> {
    let (policy, facts) = (&result.policy, &decided.facts);
    let mut metadata = Map::new();
    let mut set = |key: &str, value: serde_json::Value| metadata.insert(key.to_owned(), value);
    set("code", json!(policy.code.as_str()));
    set("policy", json!(policy.name.as_str()));
    set("title", json!(policy.title));
    set("kind", json!(facts.kind));
    set("namespace", json!(facts.namespace));
    set("name", json!(facts.name));
    if let Some(severity) = policy.severity {
        set("severity", json!(severity.as_str()));
    }
    if let Some(action) = result.action() {
        set("action", json!(action.as_str()));
    }
    if let Some(exemption) = &result.exemption {
        set("exemption", json!(&**exemption));
    }
    metadata
}

/// What was not judged because it is no object is told on standard error, and an error when there was nothing else.
fn tell_others(objects: &Objects, nothing_judged: bool) -> anyhow::Result<()> {
    let Some((file, line)) = objects.others.first() else {
        anyhow::ensure!(!nothing_judged || !objects.found.is_empty(), "the files hold no Kubernetes objects");
        return Ok(());
    };
    let count = check::count(objects.others.len(), "document", "documents");
    let text = format!("{count} without `apiVersion` and `kind` not judged, the first at {file}:{line}");
    anyhow::ensure!(!nothing_judged, text);
    terminal::complain(&format!("{} {text}", terminal::yellow("note:")));
    Ok(())
}
