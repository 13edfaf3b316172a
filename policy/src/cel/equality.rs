//! `==` and `in` over every kind of value: numbers by their number, lists and maps by what they hold, whoever made them.

use super::budget;
use super::fault::unexpected;
use cel::ExecutionError;
use cel::common::types::{CelOptional, CelString, LIST_TYPE, MAP_TYPE};
use cel::common::value::{CowVal, Val};

/// Whether both are the same value.
pub(super) fn equal(left: &dyn Val, right: &dyn Val) -> bool {
    if left.get_type() == &LIST_TYPE {
        return right.get_type() == &LIST_TYPE && same_length(left, right) && lists(left, right);
    }
    if left.get_type() == &MAP_TYPE {
        return right.get_type() == &MAP_TYPE && same_length(left, right) && maps(left, right);
    }
    match (left.downcast_ref::<CelOptional<'_>>(), right.downcast_ref::<CelOptional<'_>>()) {
        (Some(left), Some(right)) => match (left.option(), right.option()) {
            (None, None) => true,
            (Some(left), Some(right)) => equal(left, right),
            _ => false,
        },
        _ => left.equals(right),
    }
}

fn same_length(left: &dyn Val, right: &dyn Val) -> bool {
    let size = |value: &dyn Val| value.as_sizer().map(|sizer| *sizer.size().inner());
    size(left) == size(right)
}

fn lists(left: &dyn Val, right: &dyn Val) -> bool {
    let (Some(left), Some(right)) = (left.as_iterable(), right.as_iterable()) else { return false };
    let (mut left, mut right) = (left.iter(), right.iter());
    while let (Some(left), Some(right)) = (left.next(), right.next()) {
        if !equal(left, right) {
            return false;
        }
    }
    true
}

fn maps(left: &dyn Val, right: &dyn Val) -> bool {
    let (Some(keys), Some(left), Some(right)) = (left.as_iterable(), left.as_indexer(), right.as_indexer()) else {
        return false;
    };
    let mut keys = keys.iter();
    while let Some(key) = keys.next() {
        match (left.get(key), right.get(key)) {
            (Ok(left), Ok(right)) if equal(left.as_ref(), right.as_ref()) => {}
            _ => return false,
        }
    }
    true
}

/// `a == b`.
pub(super) fn equals<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    budget::step()?;
    match arguments.as_slice() {
        [left, right] => Ok(truth(equal(left.as_ref(), right.as_ref()))),
        _ => Err(ExecutionError::invalid_argument_count(2, arguments.len())),
    }
}

/// `a in b`: an element of a list, a key of a map.
pub(super) fn contains<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    budget::step()?;
    let [value, holder] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    if holder.get_type() == &LIST_TYPE {
        let Some(items) = holder.as_iterable() else { return Ok(truth(false)) };
        let mut items = items.iter();
        while let Some(item) = items.next() {
            if equal(item, value.as_ref()) {
                return Ok(truth(true));
            }
        }
        return Ok(truth(false));
    }
    let container = holder.as_container().filter(|_| holder.get_type() == &MAP_TYPE);
    let container = container.ok_or_else(|| unexpected("@in", [value.as_ref(), holder.as_ref()]))?;
    container.contains(value.as_ref()).map(truth).map_err(|_| unexpected("@in", [value.as_ref(), holder.as_ref()]))
}

/// `has(a.f)`. What has no fields has not this one either, as in Kubernetes.
pub(super) fn has<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [holder, field] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let held = holder.downcast_ref::<CelOptional<'_>>();
    let holder = match held {
        Some(optional) => match optional.option() {
            Some(value) => value,
            None => return Ok(truth(false)),
        },
        None => holder.as_ref(),
    };
    let Some(indexer) = holder.as_indexer().filter(|_| holder.get_type() == &MAP_TYPE) else {
        return Ok(truth(false));
    };
    let field = field.downcast_ref::<CelString<'_>>().ok_or_else(|| unexpected("has", [field.as_ref()]))?;
    Ok(truth(indexer.get(field).is_ok()))
}

/// A boolean.
pub(super) fn truth<'b, 'v>(value: bool) -> CowVal<'b, 'v> {
    CowVal::owned(cel::common::types::CelBool::from(value))
}
