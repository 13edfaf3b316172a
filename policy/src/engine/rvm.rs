//! The engine's bytecode machine: three to four times as fast as its interpreter, and not trusted. A policy gets one only
//! where nothing in its sources is read otherwise ([`fit`]), and what the machine says counts only where it is sure:
//! every error is asked of the interpreter again.

mod builtins;
mod fit;

use super::builtins::take_refusal;
use super::load::{LoadedSource, check_together, load};
use super::query::Query;
use super::{Value, bare};
use crate::Diagnostic;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::VmError;
use regorus::rvm::{Program, RegoVM};
use regorus::utils::limits::ExecutionTimerConfig;
use std::sync::Arc;
use std::time::Duration;

/// The most instructions of one evaluation; what needs more is the interpreter's, which the clock stops.
const MOST_INSTRUCTIONS: usize = 20_000_000;

/// What the machine says of a rule.
pub(in crate::engine) enum Said {
    Value(Value),
    /// It was not done within its time, in which the interpreter would not have been either.
    OutOfTime,
    /// It failed, which may be its own fault.
    Unsure,
}

/// A compiled program with its rules as entry points.
pub(in crate::engine) struct Machine {
    vm: RegoVM,
    rules: Vec<String>,
}

impl Machine {
    /// A machine for these rules, if all sources are fit for it.
    pub(super) fn build<'a>(sources: impl Iterator<Item = &'a LoadedSource>, rules: &[String]) -> Option<Self> {
        let sources: Vec<&LoadedSource> = sources.collect();
        let mut engine = bare();
        for (source, text) in sources.iter().zip(fit::texts(&sources)?) {
            source.add_text_to(&mut engine, text).ok()?;
        }
        let policy = engine.compile_with_entrypoint(&rules.first()?.as_str().into()).ok()?;
        let names: Vec<&str> = rules.iter().map(String::as_str).collect();
        let mut program: Arc<Program> = Compiler::compile_from_policy(&policy, &names).ok()?;
        builtins::install(Arc::get_mut(&mut program)?)?;
        let mut vm = RegoVM::new();
        vm.load_program(program);
        vm.set_max_instructions(MOST_INSTRUCTIONS);
        vm.set_data(Value::new_object()).ok()?;
        Some(Self { vm, rules: rules.to_vec() })
    }

    pub(super) fn set_input(&mut self, input: Value) {
        self.vm.set_input(input);
    }

    /// Whether the data can be had beside the rules.
    pub(super) fn set_data(&mut self, data: Value) -> bool {
        self.vm.set_data(data).is_ok()
    }

    /// The rule's value, if the machine can say.
    pub(super) fn eval(&mut self, rule: &str, limit: Duration) -> Said {
        let Some(at) = self.rules.iter().position(|known| known == rule) else { return Said::Unsure };
        drop(take_refusal());
        let check_interval = super::STEPS_PER_CHECK;
        self.vm.set_execution_timer_config(Some(ExecutionTimerConfig { limit, check_interval }));
        match (self.vm.execute_entry_point_by_index(at), take_refusal()) {
            (Ok(value), None) => Said::Value(value),
            (Err(VmError::TimeLimitExceeded { .. }), _) => Said::OutOfTime,
            _ => Said::Unsure,
        }
    }
}

/// What the machine says of a query's rule, as [`super::query::evaluate`] does; `None` when the sources are not fit for
/// it or it cannot say, which is when the interpreter decides.
pub fn evaluate(query: &Query<'_>) -> Option<Option<String>> {
    let loaded: Vec<LoadedSource> = query.sources.iter().filter_map(|file| load(file, query.v0).ok()).collect();
    if loaded.len() < query.sources.len() || check_together(&loaded).iter().any(Diagnostic::is_error) {
        return None;
    }
    let mut machine = Machine::build(loaded.iter(), &[query.rule.to_owned()])?;
    machine.set_input(Value::from_json_str(query.input).ok()?);
    if !machine.set_data(Value::from_json_str(query.data).ok()?) {
        return None;
    }
    let Said::Value(value) = machine.eval(query.rule, query.limit) else { return None };
    Some(Some(value).filter(|value| *value != Value::Undefined).map(|value| value.to_string()))
}
