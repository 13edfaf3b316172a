//! The differential corpus: small policies with the answers that OPA gives. Each must get the same answer here, or be
//! refused at load and stand in [`REFUSED`] with the reason. A silent difference is the worst defect there is.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::engine::query::{Query, evaluate};

/// Cases that OPA answers and Writ refuses at load, and why.
const REFUSED: &[(&str, &str)] = &[
    ("x509", ABSENT),
    ("strings-render", ABSENT),
    ("rego-parse", "a policy may not compile policies while it runs"),
    ("rego-metadata", "a policy may not read annotations while it runs"),
    ("opa-runtime", "a policy may not read the process that runs it"),
    ("http-send", "no policy may call the network"),
    ("uuid", "a decision must be repeatable"),
    ("not-negated-minus", "the engine takes a sign only before a number; `0 - x` does"),
];
const ABSENT: &str = "the builtin is absent, and its use is refused with file, line and column";

/// Cases that get another answer than OPA's, and why nothing in front of the engine can mend it.
const DIFFERENT: &[(&str, &str)] = &[
    ("sprintf-v-big", "the engine makes 1e10 a whole number, which Go prints without an exponent"),
    ("float-sum-equals", "the engine adds fractions as 64-bit floats, OPA with more digits"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    input: Value,
    data: Value,
    cases: Vec<Case>,
}

/// Without result and error, OPA's answer is undefined.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// `v0` or `v1`.
    rego: String,
    modules: Vec<String>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    input: Option<Value>,
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    undefined: bool,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Value(Value),
    Undefined,
    Error(String),
}

impl Case {
    fn expected(&self) -> Answer {
        match (&self.result, &self.error) {
            (_, Some(error)) => Answer::Error(error.clone()),
            (Some(value), None) => Answer::Value(plain(value)),
            (None, None) if self.undefined => Answer::Undefined,
            (None, None) => Answer::Value(Value::Null),
        }
    }

    fn actual(&self, corpus: &Corpus) -> Answer {
        let sources: Vec<_> = self.modules.iter().enumerate().map(|(at, text)| source(at, text)).collect();
        let query = Query {
            sources: &sources,
            v0: self.rego == "v0",
            rule: self.query.as_deref().unwrap_or("data.p.r"),
            input: &self.input.as_ref().unwrap_or(&corpus.input).to_string(),
            data: &corpus.data.to_string(),
            limit: Duration::from_secs(5),
        };
        match evaluate(&query) {
            Ok(Some(json)) => Answer::Value(plain(&serde_json::from_str(&json).unwrap())),
            Ok(None) => Answer::Undefined,
            Err(diagnostics) => {
                Answer::Error(diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

fn source(at: usize, text: &str) -> SourceFile {
    SourceFile { path: format!("m{at}.rego"), text: text.into() }
}

/// The value with every number as text of 15 digits: `1` and `1.0` are the same, and digits that JSON's readers lose
/// do not count.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Number(number) => Value::from(format!("{:.15e}", number.as_f64().unwrap())),
        other => other.clone(),
    }
}

fn corpora() -> Vec<Corpus> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

#[test]
fn every_case_gets_the_answer_of_opa_or_is_refused_for_a_listed_reason() {
    let refused: BTreeMap<_, _> = REFUSED.iter().copied().collect();
    let mut wrong = vec![];
    for corpus in corpora() {
        for case in &corpus.cases {
            let (expected, actual) = (case.expected(), case.actual(&corpus));
            let agrees = match (&expected, &actual) {
                (Answer::Error(_), Answer::Error(_)) => true,
                _ if refused.contains_key(case.name.as_str()) => matches!(actual, Answer::Error(_)),
                _ if DIFFERENT.iter().any(|(name, _)| *name == case.name) => expected != actual,
                _ => expected == actual,
            };
            if !agrees {
                wrong.push(format!("{}: OPA {expected:?}\n    Writ {actual:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
