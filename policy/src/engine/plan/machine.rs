//! A plan with what it is asked about.

use super::Plan;
use super::run::{Memory, Run, Stop};
use crate::Diagnostic;
use crate::engine::builtins::take_refusal;
use crate::engine::load::{LoadedSource, check_together, load};
use crate::engine::query::Query;
use crate::engine::{Engine, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What is said of a rule.
pub(in crate::engine) enum Said {
    Value(Value),
    /// It was not done within its time, in which the interpreter would not have been either.
    OutOfTime,
    /// It made more than it may, or took more steps.
    Refused(String),
    /// The interpreter is to say.
    Unsure,
}

/// A plan, ready to be asked.
pub(in crate::engine) struct Machine {
    plan: Plan,
    input: Value,
    data: Value,
    memory: Memory,
}

impl Machine {
    /// A machine for these rules, if what they reach is fit for it.
    pub(in crate::engine) fn build<'a>(
        sources: impl Iterator<Item = &'a LoadedSource>,
        rules: &[String],
    ) -> Option<Self> {
        let sources: Vec<&LoadedSource> = sources.collect();
        let plan = super::compile::plan(&sources, rules)?;
        Some(Self { plan, input: Value::Undefined, data: Value::new_object(), memory: Memory::default() })
    }

    pub(in crate::engine) fn set_input(&mut self, input: Value) {
        self.input = input;
    }

    /// Whether the data can be had beside the rules.
    pub(in crate::engine) fn set_data(&mut self, data: Value) -> bool {
        let at = |package: &Vec<String>| package.iter().fold(&data, |value, part| &value[part.as_str()]);
        let is_beside = self.plan.packages.iter().all(|package| *at(package) == Value::Undefined);
        self.data = data;
        is_beside
    }

    /// The rule's value, if the plan can say.
    pub(in crate::engine) fn eval(&mut self, rule: &str, limit: Duration) -> Said {
        let Some(position) = self.plan.entries.get(rule) else { return Said::Unsure };
        drop(take_refusal());
        let ends = Instant::now() + limit;
        let mut run = Run::new(&self.plan, (&self.input, &self.data), &mut self.memory, ends);
        // A builtin of the engine that panics is the interpreter's to report.
        let said = catch_unwind(AssertUnwindSafe(|| run.rule(*position))).unwrap_or(Err(Stop::Unsure));
        self.memory.end();
        match (said, take_refusal()) {
            (Ok(value), None) => Said::Value(value),
            (Err(Stop::OutOfTime), _) => Said::OutOfTime,
            (Err(Stop::Refused(reason)), _) => Said::Refused(reason),
            _ => Said::Unsure,
        }
    }
}

/// What a plan says of a query's rule, as [`crate::engine::query::evaluate`] does; `None` when there is no plan or it
/// is not sure, which is when the interpreter decides.
pub fn evaluate(query: &Query<'_>) -> Option<Option<String>> {
    let loaded: Vec<LoadedSource> = query.sources.iter().filter_map(|file| load(file, query.v0).ok()).collect();
    if loaded.len() < query.sources.len() || check_together(&loaded).iter().any(Diagnostic::is_error) {
        return None;
    }
    // What the engine refuses has no plan.
    Engine::build(loaded.iter()).ok()?;
    let mut machine = Machine::build(loaded.iter(), &[query.rule.to_owned()])?;
    machine.set_input(Value::from_json_str(query.input).ok()?);
    if !machine.set_data(Value::from_json_str(query.data).ok()?) {
        return None;
    }
    let Said::Value(value) = machine.eval(query.rule, query.limit) else { return None };
    Some(Some(value).filter(|value| *value != Value::Undefined).map(|value| value.to_string()))
}
