//! Runs the public library of Gatekeeper's templates through the code that decides: its suites as they are, by the
//! interpreter alone, by Rego alone and by CEL alone, and its unit tests. Nothing of it is part of this repository:
//! `WRIT_GATEKEEPER_LIBRARY` names a checkout, without which this is skipped by name.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used, reason = "a program for measuring")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use writ_policy::suite::{self, CaseEnd, CaseResult, Conditions, Filter};
use writ_policy::{Budget, SourceFile, unit_test};

/// Which code of a template is left to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    AsItIs,
    RegoAlone,
    CelAlone,
}

fn main() {
    let Ok(folder) = std::env::var("WRIT_GATEKEEPER_LIBRARY") else {
        eprintln!("skipped: WRIT_GATEKEEPER_LIBRARY names no checkout of gatekeeper-library");
        return;
    };
    let run = move || measure(Path::new(&folder));
    let thread = std::thread::Builder::new().stack_size(writ_policy::EVALUATION_STACK_BYTES).spawn(run);
    if !thread.unwrap().join().unwrap() {
        std::process::exit(1);
    }
}

fn measure(checkout: &Path) -> bool {
    let library = checkout.join("library");
    let mut all_well = true;
    for (name, code, interpreted) in [
        ("as at admission", Code::AsItIs, false),
        ("as at admission, interpreter", Code::AsItIs, true),
        ("Rego alone", Code::RegoAlone, false),
        ("Rego alone, interpreter", Code::RegoAlone, true),
        ("CEL alone where there is CEL", Code::CelAlone, false),
    ] {
        all_well &= suites(&library, name, code, interpreted);
    }
    all_well & units(checkout)
}

/// Every suite below the folder.
fn suites(library: &Path, name: &str, code: Code, interpreted: bool) -> bool {
    let started = Instant::now();
    let read = |path: &str| {
        let text = std::fs::read_to_string(library.join(path)).map_err(|error| format!("{path}: {error}"))?;
        Ok(SourceFile { path: path.to_owned(), text: only(&text, code).into() })
    };
    let budget = Budget { per_policy: Duration::from_secs(5), per_review: Duration::from_secs(5) };
    let conditions = Conditions { budget, now: 1_790_000_000_000, interpreted };
    let mut results: Vec<(String, CaseResult)> = vec![];
    for path in files(library, library, ".yaml") {
        let Ok(file) = read(&path) else { continue };
        let Ok(found) = suite::read(&file) else { continue };
        for suite in found {
            let cases = suite::run(&suite, &read, &Filter::default(), &conditions);
            results.extend(cases.into_iter().map(|case| (path.clone(), case)));
        }
    }
    let failed: Vec<_> = results.iter().filter(|(_, case)| matches!(case.end, CaseEnd::Failed(_))).collect();
    for (path, case) in &failed {
        let CaseEnd::Failed(reason) = &case.end else { continue };
        println!("  {path}:{} {}/{}: {reason}", case.line, case.test, case.case);
    }
    let (passed, held) = (results.len() - failed.len(), results.iter().map(|(_, case)| case.held).sum::<usize>());
    let took = started.elapsed().as_millis();
    println!("{name}: {passed} of {} cases, {held} assertions held, {took} ms", results.len());
    failed.is_empty() && !results.is_empty()
}

/// The text with one engine's code left in it, if it is a template that has both.
fn only(text: &str, code: Code) -> String {
    let kept = match code {
        Code::AsItIs => return text.to_owned(),
        Code::RegoAlone => "Rego",
        Code::CelAlone => "K8sNativeValidation",
    };
    let Ok(mut template) = serde_saphyr::from_str::<Value>(text) else { return text.to_owned() };
    let Some(target) = template.pointer_mut("/spec/targets/0").and_then(Value::as_object_mut) else {
        return text.to_owned();
    };
    let Some(listed) = target.get_mut("code").and_then(Value::as_array_mut) else { return text.to_owned() };
    if !listed.iter().any(|code| code["engine"] == kept) {
        return text.to_owned();
    }
    listed.retain(|code| code["engine"] == kept);
    target.remove("rego");
    target.remove("libs");
    // JSON is YAML.
    template.to_string()
}

/// Every test of `src`.
fn units(checkout: &Path) -> bool {
    let source = checkout.join("src");
    let read = |path: String| {
        let text = std::fs::read_to_string(source.join(&path)).unwrap_or_default();
        SourceFile { path, text: text.into() }
    };
    let rego: Vec<SourceFile> = files(&source, &source, ".rego").into_iter().map(read).collect();
    let tests = unit_test::run_tests(&rego, Duration::from_secs(5));
    let failed: Vec<_> = tests.iter().filter(|test| test.failure.is_some()).collect();
    for test in &failed {
        println!("  {}:{} {}: {}", test.path, test.line, test.name, test.failure.as_deref().unwrap_or_default());
    }
    println!("unit tests: {} of {} passed", tests.len() - failed.len(), tests.len());
    failed.is_empty() && !tests.is_empty()
}

/// Paths of files below the root whose names end so, sorted.
fn files(root: &Path, folder: &Path, ending: &str) -> Vec<String> {
    let mut found = vec![];
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(root, &path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.extend(path.strip_prefix(root).ok().map(|path| path.to_string_lossy().into_owned()));
        }
    }
    found
}
