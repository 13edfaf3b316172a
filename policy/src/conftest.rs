//! Conftest's packages: `deny`, `violation`, `warn` (and `deny_x`, ...) over any configuration, with `exception` for those
//! that stand aside. Counts are Conftest's. Which files are read, and how they become values, is the caller's affair.

mod objection;
mod rules;

pub use objection::Objection;

use crate::engine::builtins::set_now;
use crate::engine::load::{self, LoadedSource};
use crate::engine::{Engine, EvalError, Value};
use crate::{Diagnostic, SourceFile};
use rules::{Package, Rule};
use std::time::Duration;

/// Which Rego the packages are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegoVersion {
    /// Without `if` and `contains`.
    V0,
    /// Rego as it is since OPA 1.0.
    #[default]
    V1,
}

/// Packages ready to judge.
pub struct Conftest {
    engine: Engine,
    packages: Vec<Package>,
    documents: serde_json::Value,
    wants_file: bool,
}

/// One configuration, and the file it is from.
#[derive(Debug, Clone, Copy)]
pub struct Configuration<'a> {
    /// What policies see as `input`.
    pub input: &'a serde_json::Value,
    /// `data.conftest.file.name`.
    pub file_name: &'a str,
    /// `data.conftest.file.dir`.
    pub folder: &'a str,
}

/// What one package said of one configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// How many rules had no objection.
    pub passed: usize,
    /// Of `deny` and `violation`.
    pub failures: Vec<Objection>,
    /// Of `warn`.
    pub warnings: Vec<Objection>,
    /// Rules that stood aside.
    pub exceptions: Vec<Objection>,
}

/// A rule could not be evaluated: never "no objection".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{rule}` cannot be evaluated: {reason}")]
pub struct NotJudged {
    /// `data.main.deny`.
    pub rule: String,
    /// For people.
    pub reason: String,
}

impl Conftest {
    /// Loads all modules together with `data`, an object. Modules of unit tests are left out unless they object too.
    pub fn load(files: &[SourceFile], rego: RegoVersion, data: serde_json::Value) -> Result<Self, Vec<Diagnostic>> {
        let (mut sources, mut findings): (Vec<LoadedSource>, Vec<Diagnostic>) = (vec![], vec![]);
        for file in files.iter().filter(|file| file.is_rego()) {
            match load::load(file, rego == RegoVersion::V0) {
                Ok(source) if file.is_test() && !rules::objects(&source) => {}
                Ok(source) => sources.push(source),
                Err(found) => findings.extend(found),
            }
        }
        findings.extend(sources.iter().flat_map(rules::check));
        findings.extend(load::check_together(&sources).into_iter().filter(Diagnostic::is_error));
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut engine = Engine::build(sources.iter()).map_err(|finding| vec![finding])?;
        let reads_file = |path: &Vec<String>| path.first().is_none_or(|first| first == "conftest");
        let wants_file = sources.iter().any(|source| source.names_below_data().iter().any(reads_file));
        let given = engine.set_data(Value::from(data.clone()));
        given.map_err(|error| vec![Diagnostic::error("", format!("the data cannot be given to policies: {error}"))])?;
        Ok(Self { engine, packages: rules::packages(&sources), documents: data, wants_file })
    }

    /// Every package, as policies name it, in the order of the files.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().map(|package| package.name.as_str())
    }

    /// What the package says of a configuration, each rule within the limit; nothing when there is no such package. `now`
    /// is Unix milliseconds.
    pub fn judge(
        &mut self,
        package: &str,
        configuration: &Configuration<'_>,
        limit: Duration,
        now: i64,
    ) -> Result<Judged, NotJudged> {
        let Some(package) = self.packages.iter().find(|known| known.name == package).cloned() else {
            return Ok(Judged::default());
        };
        set_now(now);
        self.tell_file(configuration).map_err(|error| not_judged(&package.path, &error))?;
        self.engine.set_input(Value::from(configuration.input.clone()));
        let mut judged = Judged::default();
        for rule in &package.rules {
            self.judge_rule(&package, rule, limit, &mut judged)?;
        }
        // A rule with several bodies passes once for each that has no result.
        let results = judged.passed + judged.failures.len() + judged.warnings.len() + judged.exceptions.len();
        let bodies: usize = package.rules.iter().map(|rule| rule.bodies).sum();
        judged.passed += bodies.saturating_sub(results);
        Ok(judged)
    }

    fn judge_rule(
        &mut self,
        package: &Package,
        rule: &Rule,
        limit: Duration,
        judged: &mut Judged,
    ) -> Result<(), NotJudged> {
        let exceptions = self.exceptions(package, rule, limit)?;
        let path = format!("{}.{}", package.path, rule.name);
        let found = self.eval(&path, limit)?;
        let objections = objection::read(&found, &path).map_err(|reason| NotJudged { rule: path, reason })?;
        if !exceptions.is_empty() {
            judged.exceptions.extend(exceptions);
            return Ok(());
        }
        match objections {
            None => judged.passed += usize::from(found != Value::Undefined),
            Some(found) if rule.is_warning() => judged.warnings.extend(found),
            Some(found) => judged.failures.extend(found),
        }
        Ok(())
    }

    /// One per entry of `exception` that names the rule.
    fn exceptions(&mut self, package: &Package, rule: &Rule, limit: Duration) -> Result<Vec<Objection>, NotJudged> {
        if !package.has_exceptions {
            return Ok(vec![]);
        }
        let path = format!("{}.exception", package.path);
        let found = self.eval(&path, limit)?;
        let message = format!("{path}[_][_] == {:?}", rule.short_name());
        let named = objection::members(&found).into_iter().flat_map(|names| objection::members(&names));
        let named = named.filter(|name| name.as_string().is_ok_and(|name| **name == *rule.short_name()));
        Ok(named.map(|_| Objection::plain(&path, &message)).collect())
    }

    fn eval(&mut self, path: &str, limit: Duration) -> Result<Value, NotJudged> {
        self.engine.eval(path, limit).map_err(|error| not_judged(path, &error))
    }

    fn tell_file(&mut self, configuration: &Configuration<'_>) -> Result<(), EvalError> {
        if !self.wants_file {
            return Ok(());
        }
        let mut data = self.documents.clone();
        if let Some(data) = data.as_object_mut() {
            let file = serde_json::json!({"name": configuration.file_name, "dir": configuration.folder});
            data.insert("conftest".to_owned(), serde_json::json!({ "file": file }));
        }
        self.engine.set_data(Value::from(data))
    }
}

fn not_judged(rule: &str, error: &EvalError) -> NotJudged {
    NotJudged { rule: rule.to_owned(), reason: error.to_string() }
}
