//! The one place that knows regorus. A thin wrapper: one small engine per policy, with that policy's module and the
//! libraries it uses. What a policy is and what its result means belongs to `catalog` and `policy_set`.

pub mod builtins;
pub(crate) mod coverage;
pub mod load;
pub(crate) mod module;
pub mod plan;
pub mod query;
mod quick;

use crate::Diagnostic;
use load::LoadedSource;
use plan::Said;
use quick::Quick;
use regorus::LimitError;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

pub(crate) use regorus::Value;

/// How many steps the interpreter takes between two looks at the clock.
const STEPS_PER_CHECK: NonZeroU32 = NonZeroU32::new(64).expect("64 is not zero");

/// An engine with its modules loaded. It is bound to its thread.
pub(crate) struct Engine {
    inner: regorus::Engine,
    /// As `inner` was before it evaluated anything. An evaluation that is left in the middle leaves replaced functions,
    /// data and active rules behind, which the next one would judge by.
    unused: regorus::Engine,
    prints: bool,
    /// What is asked about. The interpreter is told when it is needed.
    input: Value,
    /// Data that the interpreter was not given yet.
    waiting: Option<Value>,
    sources: Vec<LoadedSource>,
    quick: Option<Quick>,
}

/// Why a rule has no value. Never "no violation".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EvalError {
    /// It ran longer than it may.
    Budget(Duration),
    /// The engine's own words, shortened for people.
    Failed(String),
    /// The engine panicked.
    Panicked,
}

impl std::fmt::Display for EvalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EvalError::Budget(limit) => write!(f, "it ran longer than its budget of {} ms", limit.as_millis()),
            EvalError::Failed(reason) => f.write_str(reason),
            EvalError::Panicked => f.write_str("the evaluation crashed"),
        }
    }
}

impl Engine {
    /// An engine with these modules, ready to evaluate; or what is wrong with them, in the author's lines.
    pub(crate) fn build<'a>(sources: impl Iterator<Item = &'a LoadedSource> + Clone) -> Result<Self, Diagnostic> {
        let explain = |error| load::explain(&sources.clone().cloned().collect::<Vec<_>>(), &error);
        let mut inner = bare();
        for source in sources.clone() {
            source.add_to(&mut inner).map_err(explain)?;
        }
        let prints = sources.clone().any(|source| source.text.contains("print"));
        // Any query makes the engine prepare all rules, which is when it finds what is wrong with them together.
        inner.eval_query("1".into(), false).map_err(explain)?;
        let unused = inner.clone();
        let sources = sources.cloned().collect();
        Ok(Self { inner, unused, prints, input: Value::Undefined, waiting: None, sources, quick: None })
    }

    /// Forgets the quicker way.
    pub(crate) fn interpret_only(&mut self) {
        self.quick = None;
    }

    /// Whether there is a quicker way now.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick.is_some()
    }

    /// Looks for a quicker way to the same values of these rules of a package. A worker asks once, after loading.
    pub(crate) fn quicken(&mut self, package: &str, rules: &[&str]) {
        self.quick = Quick::build(self, package, rules);
        // Read for nothing else.
        self.sources = vec![];
    }

    /// What `input` is from now on.
    pub(crate) fn set_input(&mut self, input: Value) {
        if let Some(quick) = &mut self.quick {
            quick.set_input(input.clone());
        }
        self.input = input;
    }

    /// What `data` is, beside the modules, from now on. The interpreter prepares itself anew, which is slow.
    pub(crate) fn set_data(&mut self, data: Value) -> Result<(), EvalError> {
        self.waiting = Some(data.clone());
        self.quick = self.quick.take().and_then(|mut quick| quick.set_data(data).then_some(quick));
        Ok(())
    }

    /// The value of one rule (`data.writ.policy_pdb.deny`), `Value::Undefined` when it has none. After an error the
    /// engine is as it was built: its input and data are to be given anew.
    pub(crate) fn eval(&mut self, rule: &str, limit: Duration) -> Result<Value, EvalError> {
        let Some(mut quick) = self.quick.take() else { return self.interpret(rule, limit) };
        let started = Instant::now();
        let said = quick.eval(rule, limit);
        let left = limit.saturating_sub(started.elapsed());
        let (value, agree) = match said {
            Said::Value(found) if quick.is_due() => {
                let value = self.interpret(rule, left);
                // Time is the one thing in which the two may differ.
                let agree = matches!(value, Err(EvalError::Budget(_))) || value.as_ref() == Ok(&found);
                (value, agree)
            }
            Said::Value(found) => (Ok(found), true),
            Said::OutOfTime => (Err(EvalError::Budget(limit)), true),
            Said::Refused(reason) => (Err(EvalError::Failed(reason)), true),
            Said::Unsure => (self.interpret(rule, left), !quick.is_useless()),
        };
        self.quick = Some(quick).filter(|_| agree);
        value
    }

    /// The names of the rules that are no functions, of the source that was given first.
    fn rules_of_first_source(&self) -> std::collections::BTreeSet<String> {
        let rules = self.sources.first().map(|source| module::Outline::of(source).rules).unwrap_or_default();
        rules.into_iter().filter(|head| head.kind != module::HeadKind::Function).map(|head| head.name).collect()
    }

    /// By the interpreter, whose word counts.
    fn interpret(&mut self, rule: &str, limit: Duration) -> Result<Value, EvalError> {
        if let Some(data) = self.waiting.take() {
            self.inner.clear_data();
            self.inner.add_data(data).map_err(|error| failed(&error))?;
        }
        self.inner.set_input(self.input.clone());
        let value = self.try_eval(rule, limit);
        if value.is_err() {
            self.inner = self.unused.clone();
        }
        value
    }

    /// The engine forgets an error in one of several functions of a name when another one has a value, so a refusal
    /// and the end of the time are asked for again.
    fn try_eval(&mut self, rule: &str, limit: Duration) -> Result<Value, EvalError> {
        let started = Instant::now();
        drop(builtins::take_refusal());
        self.inner.set_execution_timer_config(regorus::utils::limits::ExecutionTimerConfig {
            limit,
            check_interval: STEPS_PER_CHECK,
        });
        let evaluate = std::panic::AssertUnwindSafe(|| self.inner.eval_rule(rule.to_owned()));
        let value = std::panic::catch_unwind(evaluate);
        if self.prints {
            drop(self.inner.take_prints());
        }
        match (value, builtins::take_refusal()) {
            (Err(_), _) => Err(EvalError::Panicked),
            (Ok(Err(error)), _) if is_time_limit(&error) => Err(EvalError::Budget(limit)),
            (Ok(Err(error)), _) => Err(failed(&error)),
            (Ok(Ok(_)), Some(refusal)) => Err(EvalError::Failed(refusal)),
            (Ok(Ok(_)), None) if started.elapsed() > limit => Err(EvalError::Budget(limit)),
            (Ok(Ok(value)), None) => Ok(value),
        }
    }
}

/// The engine's words, with the file where they name one.
fn failed(error: &anyhow::Error) -> EvalError {
    let Diagnostic { path, message, .. } = load::explain(&[], error);
    EvalError::Failed(if path.is_empty() { message } else { format!("{path}: {message}") })
}

fn is_time_limit(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(LimitError::TimeLimitExceeded { .. })))
}

/// Settings that every engine has.
fn bare() -> regorus::Engine {
    let mut engine = regorus::Engine::new();
    // `print` writes to standard error unless it is gathered; what is gathered is dropped after each evaluation.
    engine.set_gather_prints(true);
    builtins::install(&mut engine).expect("a new engine has none of these builtins");
    engine
}
