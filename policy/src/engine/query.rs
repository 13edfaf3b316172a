//! One query over a few sources, by the whole pipeline: what `writ eval` shows and what the corpus compares with OPA.
//! Deciding reviews is [`crate::PolicySet`]'s.

use super::builtins;
use super::load::{self, LoadedSource};
use crate::{Diagnostic, SourceFile};
use regorus::Value;
use std::time::Duration;

/// A rule to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// All modules, in one dialect.
    pub sources: &'a [SourceFile],
    /// Whether they are Rego v0.
    pub v0: bool,
    /// `data.package.rule`, or any other query of one expression.
    pub rule: &'a str,
    /// JSON; empty text for none.
    pub input: &'a str,
    /// JSON object.
    pub data: &'a str,
    /// The longest that it may take.
    pub limit: Duration,
}

/// The rule's value as JSON text, `None` when it is undefined, or what is wrong with the sources or their evaluation.
pub fn evaluate(query: &Query<'_>) -> Result<Option<String>, Vec<Diagnostic>> {
    let mut loaded = vec![];
    for source in query.sources {
        loaded.push(load::load(source, query.v0)?);
    }
    let wrong: Vec<_> = load::check_together(&loaded).into_iter().filter(Diagnostic::is_error).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    run(query, &loaded).map_err(|error| vec![load::explain(&loaded, &error)])
}

fn run(query: &Query<'_>, loaded: &[LoadedSource]) -> anyhow::Result<Option<String>> {
    let mut engine = regorus::Engine::new();
    builtins::install(&mut engine)?;
    for source in loaded {
        source.add_to(&mut engine)?;
    }
    engine.add_data(Value::from_json_str(query.data)?)?;
    if !query.input.is_empty() {
        engine.set_input(Value::from_json_str(query.input)?);
    }
    engine.set_gather_prints(true);
    let check_interval = std::num::NonZeroU32::new(64).expect("it is not zero");
    engine.set_execution_timer_config(regorus::utils::limits::ExecutionTimerConfig {
        limit: query.limit,
        check_interval,
    });
    let results = engine.eval_query(query.rule.to_owned(), false)?.result;
    let value = results.first().and_then(|result| result.expressions.first()).map(|expression| &expression.value);
    Ok(value.filter(|value| **value != Value::Undefined).map(Value::to_string))
}
