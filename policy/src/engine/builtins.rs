//! The builtins that policies may call: the engine's own where they agree with OPA's, Writ's where they do not or
//! could be made to take all memory, and a reason for each that is refused.

mod account;
mod answer;
mod bounded;
mod cidr;
mod clock;
mod collections;
mod crypto;
mod deprecated;
mod format;
mod glob;
mod globs;
mod graph;
mod jwt;
mod refused;
mod regex;
mod render;
#[cfg(test)]
mod table;
mod template;
mod units;
mod yaml;

use answer::{Answer, Fault};
use regorus::Value;
use regorus::unstable::BUILTINS;
use std::cell::Cell;
use std::sync::LazyLock;

pub use clock::set_now;

/// A builtin of Writ's.
pub(super) struct Own {
    pub(super) name: &'static str,
    arity: u8,
    call: fn(&[Value]) -> Answer,
}

impl Own {
    /// How many arguments it takes.
    pub(super) fn arity(&self) -> u8 {
        self.arity
    }

    /// Whether it says the same for the same arguments at any time.
    pub(super) fn is_pure(&self) -> bool {
        self.name != "time.now_ns" && !self.name.starts_with("io.jwt.")
    }
}

/// What stands between a policy and a function name that is not its own.
pub(crate) enum Availability {
    /// It can be called. A statement may name a variable for the result as one more argument where the engine knows it.
    Here { arity: usize, takes_output: bool },
    /// It takes any number of arguments.
    Variadic,
    /// It exists in OPA and not here.
    Refused { reason: &'static str, help: &'static str },
}

/// Makes an engine answer as OPA would: own builtins over the engine's, errors of builtins as undefined, prints kept
/// away from the process's standard error.
pub fn install(engine: &mut regorus::Engine) -> anyhow::Result<()> {
    engine.set_strict_builtin_errors(false);
    engine.set_gather_prints(true);
    for own in all_own() {
        let extension = move |arguments: Vec<Value>| answer_of(own, &arguments);
        engine.add_extension(own.name.to_owned(), own.arity, Box::new(extension))?;
    }
    Ok(())
}

/// The answer in the engine's terms. A refusal is also kept, because the engine may forget it.
pub(super) fn answer_of(own: &Own, arguments: &[Value]) -> anyhow::Result<Value> {
    match (own.call)(arguments).and_then(account::kept) {
        Ok(value) => Ok(value),
        Err(Fault::Undefined) => Ok(Value::Undefined),
        Err(Fault::Refused(why)) => {
            let refusal = format!("{}: {why}", own.name);
            refuse(refusal.clone());
            Err(anyhow::anyhow!(refusal))
        }
    }
}

thread_local! {
    static REFUSAL: Cell<Option<String>> = const { Cell::new(None) };
}

/// Makes the evaluation an error, whatever the engine makes of the call.
pub(super) fn refuse(refusal: String) {
    REFUSAL.set(Some(refusal));
}

/// Counts what an evaluation makes without builtins, by the number of its items; an error says that it is too much.
pub(super) fn count_made(items: usize) -> Result<(), String> {
    account::made(items.saturating_mul(size_of::<Value>()))
}

/// Counts the parts of a value, each as often as it is there; an error says that they are too many.
pub(super) fn count_parts(value: &Value) -> Result<(), String> {
    match bounded::count_parts(value, &mut 0) {
        Ok(()) => Ok(()),
        Err(Fault::Refused(reason)) => Err(reason),
        Err(Fault::Undefined) => Ok(()),
    }
}

/// The last refusal of a builtin on this thread since it was asked for. To be asked before and after each evaluation,
/// for what builtins make is counted from here on.
pub(crate) fn take_refusal() -> Option<String> {
    account::restart();
    REFUSAL.take()
}

/// All of Writ's builtins, always in the same order.
pub(super) fn own() -> &'static [&'static Own] {
    static ALL: LazyLock<Vec<&'static Own>> = LazyLock::new(|| all_own().collect());
    &ALL
}

fn all_own() -> impl Iterator<Item = &'static Own> {
    let tables = [
        format::BUILTINS,
        regex::BUILTINS,
        template::BUILTINS,
        bounded::BUILTINS,
        cidr::BUILTINS,
        clock::BUILTINS,
        collections::BUILTINS,
        crypto::BUILTINS,
        glob::BUILTINS,
        globs::BUILTINS,
        graph::BUILTINS,
        jwt::BUILTINS,
        units::BUILTINS,
        yaml::BUILTINS,
    ];
    tables.into_iter().flatten().chain(deprecated::BUILTINS)
}

/// Whether a policy may call the builtin of this name; `None` when OPA has none of this name either.
pub(crate) fn availability(name: &str, v0: bool) -> Option<Availability> {
    if let Some((reason, help)) = refused::reason(name, v0) {
        return Some(Availability::Refused { reason, help });
    }
    if name == "print" {
        return Some(Availability::Variadic);
    }
    let native = BUILTINS.get(name).filter(|_| !name.starts_with("__"));
    let arity = all_own().find(|own| own.name == name).map(|own| own.arity).or(native.map(|(_, arity)| *arity))?;
    Some(Availability::Here { arity: arity.into(), takes_output: native.is_some() })
}

/// The number of arguments of a builtin that only Writ has.
pub(crate) fn arity_unknown_to_engine(name: &str) -> Option<usize> {
    let own = all_own().find(|own| own.name == name)?;
    (!BUILTINS.contains_key(name)).then_some(own.arity.into())
}

/// The names that a policy may call, for hints.
pub(crate) fn names(v0: bool) -> Vec<String> {
    let all = BUILTINS.keys().copied().chain(all_own().map(|own| own.name));
    all.filter(|name| matches!(availability(name, v0), Some(Availability::Here { .. }))).map(str::to_owned).collect()
}

/// Whether the text matches an RE2 pattern; `None` when RE2 would not take the pattern.
pub(crate) fn pattern_matches(pattern: &str, text: &str) -> Option<bool> {
    regex::compiled(pattern).ok().map(|regex| regex.is_match(text))
}

/// The pattern as RE2 reads it; `None` when it would not take it.
pub(crate) fn pattern(pattern: &str) -> Option<std::rc::Rc<::regex::Regex>> {
    regex::compiled(pattern).ok()
}
