//! What functions said for their arguments. Containers are told apart by where they are, so that looking costs less than
//! most functions do: one that is kept here cannot be at another's place.

use crate::engine::Value;
use std::sync::Arc;

/// How many calls are remembered; the next one at the same place takes over.
const PLACES: usize = 64;
/// The longest text that is remembered beyond an evaluation.
const LONGEST_TEXT: usize = 128;

#[derive(Default)]
pub(super) struct Calls {
    /// None before the first call.
    places: Vec<Call>,
    /// Those that are let go at the end of the evaluation.
    passing: Vec<usize>,
}

#[derive(Clone)]
struct Call {
    /// None where nothing is remembered.
    rule: usize,
    arguments: Vec<Value>,
    value: Value,
}

const NONE: usize = usize::MAX;

impl Calls {
    /// Where a call is remembered.
    pub(super) fn place(&self, rule: usize, arguments: &[Value]) -> usize {
        let mixed = arguments
            .iter()
            .fold(rule as u64 + 1, |mixed, argument| (mixed ^ identity(argument)).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (mixed >> 32) as usize % PLACES
    }

    pub(super) fn find(&self, place: usize, rule: usize, arguments: &[Value]) -> Option<&Value> {
        let call = self.places.get(place).filter(|call| call.rule == rule)?;
        let is_known = call.arguments.len() == arguments.len()
            && call.arguments.iter().zip(arguments).all(|(one, two)| is_same(one, two));
        is_known.then_some(&call.value)
    }

    /// What a pure function says of scalars lasts, all else is known until the end of the evaluation.
    pub(super) fn remember(&mut self, place: usize, (rule, pure): (usize, bool), arguments: &[Value], value: &Value) {
        if self.places.is_empty() {
            self.places.resize(PLACES, Call { rule: NONE, arguments: vec![], value: Value::Undefined });
        }
        if !(pure && is_small(value) && arguments.iter().all(is_small)) {
            self.passing.push(place);
        }
        let call = &mut self.places[place];
        call.rule = rule;
        call.arguments.clear();
        call.arguments.extend_from_slice(arguments);
        call.value = value.clone();
    }

    /// Lets go of what is known of this evaluation alone.
    pub(super) fn end(&mut self) {
        for place in self.passing.drain(..) {
            let call = &mut self.places[place];
            call.rule = NONE;
            call.arguments.clear();
            call.value = Value::Undefined;
        }
    }
}

/// A number that is the same for the same value, though not only for it.
fn identity(value: &Value) -> u64 {
    match value {
        Value::Undefined => 1,
        Value::Null => 2,
        Value::Bool(value) => 3 + u64::from(*value),
        Value::Number(_) => 5,
        Value::String(text) => {
            let (bytes, length) = (text.as_bytes(), text.len() as u64);
            let last = bytes.iter().rev().take(8).fold(length, |mixed, byte| mixed << 7 ^ u64::from(*byte));
            bytes.first().map_or(6, |first| last ^ u64::from(*first) << 3)
        }
        Value::Array(items) => Arc::as_ptr(items) as u64,
        Value::Set(items) => Arc::as_ptr(items) as u64,
        Value::Object(fields) => Arc::as_ptr(fields) as u64,
    }
}

/// Whether two values are surely the same.
fn is_same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Array(one), Value::Array(two)) => Arc::ptr_eq(one, two),
        (Value::Set(one), Value::Set(two)) => Arc::ptr_eq(one, two),
        (Value::Object(one), Value::Object(two)) => Arc::ptr_eq(one, two),
        (Value::Array(_) | Value::Set(_) | Value::Object(_), _) => false,
        // `1` and `1.0` are equal, and may be written otherwise.
        (Value::Number(_), Value::Number(_)) => false,
        (one, two) => one == two,
    }
}

fn is_small(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= LONGEST_TEXT,
        Value::Array(_) | Value::Set(_) | Value::Object(_) => false,
        _ => true,
    }
}
