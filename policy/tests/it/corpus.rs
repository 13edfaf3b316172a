//! The differential corpus: small policies with the answers that OPA gives. Each must get the same answer here, or be
//! refused at load and stand in [`REFUSED`] with the reason. A silent difference is the worst defect there is.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::engine::plan;
use writ_policy::engine::query::{Query, evaluate};

/// Cases that OPA answers and Writ refuses at load, and why.
const REFUSED: &[(&str, &str)] = &[
    ("x509", "certificates are not read"),
    ("strings-render", ABSENT),
    ("rego-parse", "a policy may not compile policies while it runs"),
    ("rego-metadata", "a policy may not read annotations while it runs"),
    ("http-send", "no policy may call the network"),
    ("uuid", "a decision must be repeatable"),
    ("not-negated-minus", "the engine takes a sign only before a number; `0 - x` does"),
    ("function-same-argument-twice", "the engine does not compare the two"),
    ("function-same-argument-twice-differs", "the engine does not compare the two"),
    ("comprehension-variable-is-its-own", "the engine does not let an inner variable hide an outer one"),
    ("sprintf-v-big", "the engine makes 1e10 a whole number, which Go prints without an exponent"),
    ("float-eq", "the engine adds fractions as 64-bit floats, OPA with more digits"),
    ("float-sum-equals", "the engine adds fractions as 64-bit floats, OPA with more digits"),
    ("builtin-compare-set-highest", "the engine orders sets before objects, OPA after them"),
    ("else-after-undefined-value-without-body", "the engine wants a body before `else`"),
];
const ABSENT: &str = "the builtin is absent, and its use is refused with file, line and column";

/// Cases that OPA answers and that end in an error while they are evaluated: never silent.
const ERRORS: &[(&str, &str)] = &[
    ("builtin-modulo-fraction", "the engine errs, OPA has no value"),
    ("some-in-null", "the engine errs, OPA finds nothing in what holds nothing"),
    ("some-in-text", "the engine errs, OPA finds nothing in what holds nothing"),
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

/// What the clock says: 2023-11-14.
const NOW: i64 = 1_700_000_000_000;

/// How a case gets its answer.
type Mode = fn(&Case, &Corpus) -> Answer;

/// Every way that Writ evaluates policies; a new one is a line here.
const MODES: &[(&str, Mode)] = &[("interpreter", Case::interpreted), ("plan", Case::by_plan)];

impl Case {
    fn expected(&self) -> Answer {
        match (&self.result, &self.error) {
            (_, Some(error)) => Answer::Error(error.clone()),
            (Some(value), None) => Answer::Value(plain(value)),
            (None, None) if self.undefined => Answer::Undefined,
            (None, None) => Answer::Value(Value::Null),
        }
    }

    /// The answer in each way that Writ evaluates policies.
    fn actual(&self, corpus: &Corpus) -> Vec<(&'static str, Answer)> {
        MODES.iter().map(|(mode, answer)| (*mode, answer(self, corpus))).collect()
    }

    fn interpreted(&self, corpus: &Corpus) -> Answer {
        match self.with_query(corpus, evaluate) {
            Ok(json) => Self::answer(json),
            Err(diagnostics) => {
                Answer::Error(diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
        }
    }

    /// By the plan where it has an answer, else by the interpreter.
    fn by_plan(&self, corpus: &Corpus) -> Answer {
        self.with_query(corpus, plan::evaluate).map_or_else(|| self.interpreted(corpus), Self::answer)
    }

    fn answer(json: Option<String>) -> Answer {
        json.map_or(Answer::Undefined, |json| Answer::Value(plain(&serde_json::from_str(&json).unwrap())))
    }

    fn with_query<T>(&self, corpus: &Corpus, ask: impl Fn(&Query<'_>) -> T) -> T {
        let sources: Vec<_> = self.modules.iter().enumerate().map(|(at, text)| source(at, text)).collect();
        writ_policy::engine::builtins::set_now(NOW);
        ask(&Query {
            sources: &sources,
            v0: self.rego == "v0",
            rule: self.query.as_deref().unwrap_or("data.p.r"),
            input: &self.input.as_ref().unwrap_or(&corpus.input).to_string(),
            data: &corpus.data.to_string(),
            limit: Duration::from_secs(5),
        })
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
    // A debug build needs more stack for a chain of sixty rules than a test thread has; evaluation threads have 16 MiB.
    let wrong = std::thread::Builder::new()
        .stack_size(writ_policy::EVALUATION_STACK_BYTES)
        .spawn(wrong_answers)
        .unwrap()
        .join()
        .unwrap();
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn wrong_answers() -> Vec<String> {
    let mut wrong = vec![];
    for corpus in corpora() {
        for case in &corpus.cases {
            for (mode, actual) in case.actual(&corpus) {
                let expected = case.expected();
                if !is_right(&case.name, &expected, &actual) {
                    wrong.push(format!("{} ({mode}): OPA {expected:?}\n    Writ {actual:?}", case.name));
                }
            }
        }
    }
    wrong
}

fn is_right(name: &str, expected: &Answer, actual: &Answer) -> bool {
    let listed = |list: &[(&str, &str)]| list.iter().any(|(known, _)| *known == name);
    match (expected, actual) {
        (Answer::Error(_), Answer::Error(_)) => true,
        _ if listed(REFUSED) || listed(ERRORS) => matches!(actual, Answer::Error(_)),
        _ => expected == actual,
    }
}

#[test]
fn the_corpus_is_large_and_every_name_stands_once() {
    let mut names = BTreeSet::new();
    for corpus in corpora() {
        for case in corpus.cases {
            assert!(names.insert(case.name.clone()), "`{}` stands twice", case.name);
        }
    }
    let listed = REFUSED.iter().chain(ERRORS);
    let unknown: Vec<_> = listed.filter(|(name, _)| !names.contains(*name)).collect();
    assert!(unknown.is_empty(), "listed and not in the corpus: {unknown:?}");
    assert!(names.len() >= 450, "{} cases", names.len());
}

#[test]
fn plans_take_a_good_part_of_the_corpus() {
    let taken =
        |corpus: &Corpus| corpus.cases.iter().filter(|case| case.with_query(corpus, plan::evaluate).is_some()).count();
    assert!(corpora().iter().map(taken).sum::<usize>() > 350);
}
