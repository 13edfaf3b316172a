//! The functions that expressions are evaluated with: the crate's, and those that Kubernetes adds or that must be bounded.

use super::{budget, equality, library};
use cel::common::functions::Function;
use cel::common::types::{DYN_TYPE, Type};
use cel::common::value::CowVal;
use cel::{Context, DeclarationError, Env, extensions};
use std::sync::{Arc, LazyLock};

static ENVIRONMENT: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(build().expect("every function is declared once, and a test declares them all")));

/// A context without variables.
pub(super) fn context() -> Context<'static, 'static> {
    Context::with_env(ENVIRONMENT.clone())
}

/// What reads expressions.
pub(super) fn parser() -> cel::parser::Parser {
    ENVIRONMENT.parser()
}

/// What expressions are rewritten to, with the number of arguments; no expression can name them.
const OWN: &[(&str, usize, Function)] = &[
    ("@equals", 2, equality::equals),
    ("@contains", 2, equality::contains),
    ("@has", 2, equality::has),
    ("@within", 0, budget::within),
    ("@stop", 0, budget::stop),
    ("@kept", 1, budget::kept),
    ("@held", 1, super::policy::held),
    ("@present", 1, super::policy::present),
    ("@settled", 1, super::policy::settled),
];

/// What expressions are rewritten to, by its name.
pub(super) fn own(name: &str) -> Option<Function> {
    OWN.iter().find(|(known, ..)| *known == name).map(|(.., function)| *function)
}

/// The function of this name for these arguments.
pub(super) fn overload(name: &str, arguments: &[CowVal<'_, '_>]) -> Option<Function> {
    ENVIRONMENT.find_overload(name, arguments)
}

fn build() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::lists)?;
    env.add_extension(extensions::math)?;
    env.add_extension(extensions::encoders)?;
    let any = |count: usize| (0..count).map(|_| DYN_TYPE).collect::<Vec<Type>>();
    for (name, count, function) in OWN {
        env.add_overload(name, name, any(*count), *function)?;
    }
    library::add(&mut env)?;
    Ok(env)
}

/// Declares a function that is called on a value.
pub(super) fn method(
    env: &mut Env,
    name: &str,
    target: Type,
    arguments: Vec<Type>,
    function: Function,
) -> Result<(), DeclarationError> {
    let types: Vec<&str> = arguments.iter().map(Type::name).collect();
    let id = format!("writ:{}.{name}({})", target.name(), types.join(","));
    env.add_member_overload(name, &id, target, arguments, function)
}

/// Declares a function of its own.
pub(super) fn function(
    env: &mut Env,
    name: &str,
    arguments: Vec<Type>,
    function: Function,
) -> Result<(), DeclarationError> {
    let types: Vec<&str> = arguments.iter().map(Type::name).collect();
    env.add_overload(name, &format!("writ:{name}({})", types.join(",")), arguments, function)
}
