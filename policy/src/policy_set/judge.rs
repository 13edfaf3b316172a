//! One policy judges one review: the input in its dialect, the evaluation, and what its result set means. Anything
//! that is not a clear result is an error of the policy, never "no violation".

use super::compile::Compiled;
use super::namespaces::Namespace;
use crate::action::{resolve, resolve_error};
use crate::decision::{Dialect, Outcome, PolicyInfo};
use crate::engine::{Engine, EvalError, Value};
use crate::review::parse::Review;
use crate::wire::MAX_MESSAGE_BYTES;
use crate::{Action, Settings, Severity};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most messages that one policy's failure carries.
const MOST_MESSAGES: usize = 32;

/// One policy with its engine and parameters.
pub(super) struct Judge {
    pub info: Arc<PolicyInfo>,
    engine: Engine,
    deny_rule: String,
    matches_rule: String,
    parameters: Value,
    wants_namespace: bool,
    wants_data: bool,
    /// The Namespace object that the engine's `data` holds.
    replicated: Option<Arc<str>>,
}

/// What is judged.
pub(super) struct Subject<'a> {
    pub review: &'a Review,
    pub namespace: Option<&'a Namespace>,
}

/// What a policy found, and how severe it said that is.
pub(super) struct Verdict {
    pub outcome: Outcome,
    /// Whether it was stopped because its time was over.
    pub ran_out: bool,
    severity: Severity,
}

impl Subject<'_> {
    /// The input of a Writ policy without parameters.
    pub(super) fn input(&self) -> Value {
        let mut input = Value::new_object();
        insert(&mut input, "review", self.review.request.clone());
        insert(&mut input, "parameters", Value::new_object());
        if let Some(namespace) = self.namespace {
            insert(&mut input, "namespaceObject", namespace.object.clone());
        }
        input
    }
}

impl Judge {
    pub(super) fn new(policy: Compiled, settings: &Settings) -> Self {
        let mut parameters = policy.parameters;
        if let Some(overrides) = settings.parameters.get(policy.info.code.as_str()) {
            parameters.extend(overrides.clone());
        }
        Self {
            deny_rule: format!("{}.deny", policy.data_path),
            matches_rule: format!("{}.matches", policy.data_path),
            parameters: Value::from(serde_json::Value::Object(parameters)),
            wants_namespace: policy.wants_namespace,
            wants_data: policy.wants_data,
            replicated: None,
            engine: policy.engine,
            info: policy.info,
        }
    }

    /// Whether a review's Namespace object must be looked up.
    pub(super) fn wants_namespace(&self) -> bool {
        self.wants_namespace || self.wants_data
    }

    /// What the policy says of the subject, within the limit.
    pub(super) fn judge(&mut self, subject: &Subject<'_>, limit: Duration) -> Verdict {
        self.evaluate(subject, limit).unwrap_or_else(|error| {
            // The engine has forgotten its data.
            self.replicated = None;
            let (ran_out, error) = match error {
                // All of its time, not what the last of its rules had left of it.
                EvalError::Budget(_) => (true, EvalError::Budget(limit)),
                error => (false, error),
            };
            Verdict { ran_out, ..self.error(error.to_string()) }
        })
    }

    /// What the verdict does to the request.
    pub(super) fn action(&self, verdict: &Verdict, settings: &Settings) -> Option<Action> {
        let (level, own) = (settings.deny_level, settings.actions.get(self.info.code.as_str()).copied());
        match verdict.outcome {
            Outcome::Pass => None,
            Outcome::Fail(_) => Some(resolve(verdict.severity, level, own)),
            Outcome::Error(_) => Some(resolve_error(self.info.on_error, level, own)),
        }
    }

    fn evaluate(&mut self, subject: &Subject<'_>, limit: Duration) -> Result<Verdict, EvalError> {
        if limit.is_zero() {
            return Ok(self.error("the review's time was used up before this policy was reached".into()));
        }
        let started = Instant::now();
        self.replicate(subject)?;
        self.engine.set_input(self.input(subject));
        if self.info.dialect == Dialect::MagTape {
            match self.engine.eval(&self.matches_rule, limit)? {
                Value::Bool(true) => {}
                Value::Undefined | Value::Bool(false) => return Ok(self.pass()),
                other => return Ok(self.error(format!("`matches` is {}, not true or false", kind_of(&other)))),
            }
        }
        let found = self.engine.eval(&self.deny_rule, limit.saturating_sub(started.elapsed()))?;
        Ok(self.read(&found))
    }

    fn input(&self, subject: &Subject<'_>) -> Value {
        if self.info.dialect == Dialect::MagTape {
            return subject.review.whole.clone();
        }
        let mut input = subject.input();
        let fields = input.as_object_mut().expect("the input is an object");
        fields.insert(Value::from("parameters"), self.parameters.clone());
        input
    }

    /// Gives the engine the Namespace object as `data.kubernetes.namespaces[name]`, when it has another one.
    fn replicate(&mut self, subject: &Subject<'_>) -> Result<(), EvalError> {
        let text = subject.namespace.map(|namespace| &namespace.text);
        if !self.wants_data || self.replicated.as_ref() == text {
            return Ok(());
        }
        self.replicated = None;
        let mut namespaces = Value::new_object();
        if let Some(namespace) = subject.namespace {
            insert(&mut namespaces, &namespace.name, namespace.object.clone());
        }
        let (mut kubernetes, mut data) = (Value::new_object(), Value::new_object());
        insert(&mut kubernetes, "namespaces", namespaces);
        insert(&mut data, "kubernetes", kubernetes);
        self.engine.set_data(data)?;
        self.replicated = text.cloned();
        Ok(())
    }

    /// What the policy's `deny` means.
    fn read(&self, found: &Value) -> Verdict {
        let Value::Set(found) = found else {
            return self.error(format!("`deny` is {}, not a set", kind_of(found)));
        };
        if found.is_empty() {
            return self.pass();
        }
        let mut messages = Vec::with_capacity(found.len());
        let mut severity = Severity::Low;
        for item in found.iter() {
            let Some(message) = sentence(item) else {
                return self.error("`deny` holds something that has no `msg` text".into());
            };
            messages.push(self.wrap(message));
            severity = severity.max(self.severity(item));
        }
        Verdict { outcome: Outcome::Fail(bound(messages)), severity, ran_out: false }
    }

    /// The item's own severity where MagTape's dialect lets it have one, else the policy's.
    fn severity(&self, item: &Value) -> Severity {
        let said = || item["severity"].as_string().ok()?.parse().ok();
        let said = said().filter(|_| self.info.dialect == Dialect::MagTape);
        said.unwrap_or(self.info.severity)
    }

    /// The message as the developer reads it. MagTape's policies write it whole.
    fn wrap(&self, sentence: &str) -> String {
        let full = match self.info.dialect {
            Dialect::MagTape => sentence.to_owned(),
            Dialect::Writ => {
                let head = format!("[FAIL] {} - ", self.info.severity);
                let tail = format!(" ({})", self.info.code);
                let room = MAX_MESSAGE_BYTES.saturating_sub(head.len() + tail.len());
                return head + &cut(sentence.trim(), room) + &tail;
            }
        };
        cut(&full, MAX_MESSAGE_BYTES)
    }

    fn pass(&self) -> Verdict {
        Verdict { outcome: Outcome::Pass, severity: self.info.severity, ran_out: false }
    }

    fn error(&self, reason: String) -> Verdict {
        let outcome = Outcome::Error(cut(&reason, MAX_MESSAGE_BYTES));
        Verdict { outcome, severity: self.info.severity, ran_out: false }
    }
}

fn insert(object: &mut Value, key: &str, value: Value) {
    object.as_object_mut().expect("only objects get here").insert(Value::from(key), value);
}

/// The text of one member of `deny`: itself, or its `msg`.
fn sentence(item: &Value) -> Option<&str> {
    match item {
        Value::String(text) => Some(text),
        Value::Object(fields) => fields.get(&Value::from("msg"))?.as_string().ok().map(AsRef::as_ref),
        _ => None,
    }
}

/// Sorted, each once, and no more than people read.
fn bound(mut messages: Vec<String>) -> Vec<String> {
    messages.sort_unstable();
    messages.dedup();
    if messages.len() > MOST_MESSAGES {
        let more = messages.len() - MOST_MESSAGES + 1;
        messages.truncate(MOST_MESSAGES - 1);
        messages.push(format!("… and {more} more"));
    }
    messages
}

/// The text in at most this many bytes, ending with `…` when something is left out.
fn cut(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let mut end = room.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Undefined => "undefined",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Set(_) => "a set",
        Value::Object(_) => "an object",
    }
}
