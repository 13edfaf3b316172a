//! What went wrong, in words that hold no value of the object: its Secrets are nobody's to read in a message.

use cel::ExecutionError;
use cel::common::value::Val;

/// A function or operator that takes no such arguments.
pub(super) fn unexpected<'a>(function: &str, arguments: impl IntoIterator<Item = &'a dyn Val>) -> ExecutionError {
    let types = arguments.into_iter().map(|argument| argument.get_type().name().to_owned());
    ExecutionError::no_such_overload(function, types.collect())
}

/// A function that could not do its work.
pub(super) fn failed(function: &str, reason: impl Into<String>) -> ExecutionError {
    ExecutionError::function_error(function, reason.into())
}

/// The error for people.
pub(super) fn describe(error: &ExecutionError) -> String {
    use ExecutionError as Error;
    match error {
        Error::NoSuchKey(key) => format!("no such key: {key}"),
        Error::NoSuchOverload(overload) => {
            let types = overload.argument_types().join(", ");
            format!("no such overload: {}({types})", overload.function())
        }
        Error::FunctionError { function, message } => format!("{function}: {message}"),
        Error::UnexpectedType { got, want } => format!("{got} where {want} is wanted"),
        Error::UndeclaredReference(name) => format!("undeclared reference to {name}"),
        Error::DivisionByZero(_) => "division by zero".to_owned(),
        Error::RemainderByZero(_) => "modulus by zero".to_owned(),
        Error::Overflow(operator, ..) => format!("{operator}: overflow"),
        Error::IndexOutOfBounds(_) => "index out of range".to_owned(),
        Error::UnsupportedBinaryOperator(operator, ..) => format!("no such overload: {operator}"),
        Error::ValuesNotComparable(..) => "values of different types are compared".to_owned(),
        Error::DuplicateKey(_) => "a key is there twice".to_owned(),
        Error::UnsupportedKeyType(_) => "a value that cannot be a key".to_owned(),
        _ => "the expression cannot be evaluated".to_owned(),
    }
}
