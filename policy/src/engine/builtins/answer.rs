//! What a builtin of Writ's is given and gives back.

use regorus::Value;

/// The most bytes of text that one call may make.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// The most items that one call may make.
pub(super) const MAX_ITEMS: usize = 100_000;

/// The result of a call.
pub(super) type Answer = Result<Value, Fault>;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The arguments are of the wrong kind. As in OPA the call is undefined.
    Undefined,
    /// The call is refused; the policy that made it errs. Never undefined, which a `not` would turn into true.
    Refused(String),
}

/// The argument as text.
pub(super) fn text(arguments: &[Value], at: usize) -> Result<&str, Fault> {
    match arguments.get(at) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Fault::Undefined),
    }
}

/// The argument as a whole number that fits.
pub(super) fn integer(arguments: &[Value], at: usize) -> Result<i64, Fault> {
    match arguments.get(at) {
        Some(Value::Number(number)) if number.is_integer() => number.as_i64().ok_or(Fault::Undefined),
        _ => Err(Fault::Undefined),
    }
}

/// The items of an array or a set.
pub(super) fn items(arguments: &[Value], at: usize) -> Result<Vec<&Value>, Fault> {
    match arguments.get(at) {
        Some(Value::Array(items)) => Ok(items.iter().collect()),
        Some(Value::Set(items)) => Ok(items.iter().collect()),
        _ => Err(Fault::Undefined),
    }
}

/// The argument as texts: of an array, or of a set in its order.
pub(super) fn texts(arguments: &[Value], at: usize) -> Result<Vec<&str>, Fault> {
    let items = items(arguments, at)?;
    items.into_iter().map(|item| item.as_string().map(|text| &**text).map_err(|_| Fault::Undefined)).collect()
}

/// Refuses what would be larger than the limit.
pub(super) fn within(size: usize, limit: usize, of: &str) -> Result<(), Fault> {
    if size <= limit {
        return Ok(());
    }
    Err(Fault::Refused(format!("the result would have {size} {of}, more than {limit}")))
}

/// Bytes as hexadecimal text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
