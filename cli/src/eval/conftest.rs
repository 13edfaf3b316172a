//! Any configuration judged by Conftest's packages.

mod data;
mod packages;

use super::load::{self, Given};
use crate::arguments::{Eval, RegoVersion};
use crate::check;
use crate::output::{Entry, Group, Place, Results, Status};
use crate::terminal;
use serde_json::{Value, json};
use std::path::Path;
use writ_policy::Diagnostic;
use writ_policy::conftest::{self, Configuration, Conftest, Judged, Objection};

/// One file's configurations.
struct Configured {
    path: String,
    /// One, or several where the file is a list.
    inputs: Vec<Value>,
}

pub(super) fn run(options: &Eval) -> anyhow::Result<Results> {
    let configured = configure(options)?;
    let mut conftest = packages_of(options)?;
    let known: Vec<String> = conftest.packages().map(str::to_owned).collect();
    let chosen = packages::choose(&known, options);
    let now = jiff::Timestamp::now().as_millisecond();
    let mut groups = vec![];
    for package in &chosen {
        for file in &configured {
            groups.push(judge(&mut conftest, package, file, options, now)?);
        }
    }
    tell_missing(&known, &chosen);
    Ok(Results { groups, hides_exempted: options.suppress_exceptions })
}

/// The files as configurations; one for all of them under `--combine`.
fn configure(options: &Eval) -> anyhow::Result<Vec<Configured>> {
    let ignore = load::pattern(options.ignore.as_deref())?;
    let given = load::read(&options.files, options.parser, |_| true, ignore.as_ref())?;
    let mut configured: Vec<Configured> = vec![];
    for file in &given {
        let inputs = match parse(file)? {
            Value::Array(inputs) => inputs,
            input => vec![input],
        };
        let path = match options.stdin_filename.as_ref().filter(|_| file.path == "-") {
            Some(name) => name.clone(),
            None => file.path.clone(),
        };
        configured.push(Configured { path, inputs });
    }
    if !options.combine {
        return Ok(configured);
    }
    configured.sort_by(|a, b| a.path.cmp(&b.path));
    let one = |file: Configured| {
        let path = file.path;
        file.inputs.into_iter().map(move |contents| json!({"path": path, "contents": contents}))
    };
    let inputs = vec![configured.into_iter().flat_map(one).collect()];
    Ok(vec![Configured { path: "Combined".into(), inputs }])
}

fn parse(file: &Given) -> anyhow::Result<Value> {
    file.parser.parse(&file.text).map_err(|error| match (error.line, error.column) {
        (0, _) => anyhow::anyhow!("{}: {}", file.path, error.reason),
        (line, 0) => anyhow::anyhow!("{}:{line}: {}", file.path, error.reason),
        (line, column) => anyhow::anyhow!("{}:{line}:{column}: {}", file.path, error.reason),
    })
}

fn packages_of(options: &Eval) -> anyhow::Result<Conftest> {
    let files = packages::read(&options.policy)?;
    let data = data::read(&options.data)?;
    let rego = match options.rego_version {
        RegoVersion::V0 => conftest::RegoVersion::V0,
        RegoVersion::V1 => conftest::RegoVersion::V1,
    };
    Conftest::load(&files, rego, data).map_err(|findings| {
        let findings = findings.into_iter().map(|finding| with_version(finding, options.rego_version));
        let findings: Vec<Diagnostic> = findings.collect();
        terminal::complain(check::snippets(&files, findings.iter()).trim_end());
        anyhow::anyhow!("the packages do not load, so nothing was judged")
    })
}

/// Most packages that do not load are of the other Rego.
fn with_version(finding: Diagnostic, version: RegoVersion) -> Diagnostic {
    if finding.help.is_some() || version == RegoVersion::V0 {
        return finding;
    }
    finding.help("If the package is of before OPA 1.0, add --rego-version v0.")
}

fn judge(conftest: &mut Conftest, package: &str, file: &Configured, options: &Eval, now: i64) -> anyhow::Result<Group> {
    let path = std::path::absolute(&file.path)?;
    let part = |part: Option<&Path>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let (name, folder) = (part(path.file_name().map(Path::new)), part(path.parent()));
    let mut group = Group { file: file.path.clone(), namespace: package.to_owned(), entries: vec![] };
    for input in &file.inputs {
        let configuration = Configuration { input, file_name: &name, folder: &folder };
        let judged = conftest.judge(package, &configuration, options.rule_timeout, now);
        let judged = judged.map_err(|error| anyhow::anyhow!("{}: {error}", file.path))?;
        group.entries.extend(entries(package, judged));
    }
    Ok(group)
}

fn entries(package: &str, judged: Judged) -> Vec<Entry> {
    let with = |status: Status, word: &str, objections: Vec<Objection>| {
        let rule = format!("{package}/{word}");
        objections.into_iter().map(move |objection| entry(status, rule.clone(), objection)).collect::<Vec<_>>()
    };
    let mut entries = with(Status::Failed, "deny", judged.failures);
    entries.extend(with(Status::Warned, "warn", judged.warnings));
    entries.extend(with(Status::Exempted, "exception", judged.exceptions));
    entries.extend((0..judged.passed).map(|_| Entry::passed()));
    entries
}

fn entry(status: Status, rule: String, objection: Objection) -> Entry {
    let place = Place { file: objection.file, line: objection.line, column: 0 };
    Entry { rule, place, metadata: objection.metadata, ..Entry::new(status, objection.message) }
}

/// A package that is asked for and not there judges nothing, which is what Conftest does too, and is worth a word.
fn tell_missing(known: &[String], chosen: &[String]) {
    for package in chosen.iter().filter(|package| !known.contains(package)) {
        let known = known.join(", ");
        terminal::complain(&format!("{} there is no package `{package}`, only {known}", terminal::yellow("note:")));
    }
    if chosen.is_empty() {
        terminal::complain(&format!("{} no package matches --namespace", terminal::yellow("note:")));
    }
}
