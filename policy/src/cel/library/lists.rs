//! Lists as Kubernetes has them, and sets.

use super::{Answer, Arguments};
use crate::cel::budget;
use crate::cel::environment::{function, method};
use crate::cel::equality::{equal, truth};
use crate::cel::fault::{failed, unexpected};
use cel::common::types::{CelInt, CelList, DYN_TYPE, LIST_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use std::cmp::Ordering;

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    method(env, "isSorted", LIST_TYPE, vec![], is_sorted)?;
    method(env, "sum", LIST_TYPE, vec![], sum)?;
    method(env, "min", LIST_TYPE, vec![], |arguments| extreme(arguments, Ordering::Less))?;
    method(env, "max", LIST_TYPE, vec![], |arguments| extreme(arguments, Ordering::Greater))?;
    method(env, "@indexOf", LIST_TYPE, vec![DYN_TYPE], |arguments| index(arguments, false))?;
    method(env, "@lastIndexOf", LIST_TYPE, vec![DYN_TYPE], |arguments| index(arguments, true))?;
    method(env, "@distinct", LIST_TYPE, vec![], distinct)?;
    function(env, "sets.contains", vec![LIST_TYPE, LIST_TYPE], |arguments| {
        sets(arguments, |all, some| some.iter().all(|item| holds(all, *item)))
    })?;
    function(env, "sets.equivalent", vec![LIST_TYPE, LIST_TYPE], |arguments| {
        sets(arguments, |one, other| {
            one.iter().all(|item| holds(other, *item)) && other.iter().all(|item| holds(one, *item))
        })
    })?;
    function(env, "sets.intersects", vec![LIST_TYPE, LIST_TYPE], |arguments| {
        sets(arguments, |one, other| one.iter().any(|item| holds(other, *item)))
    })
}

type Items<'b, 'v> = Vec<&'b (dyn Val + 'v)>;

fn items<'b, 'v>(list: &'b CowVal<'_, 'v>) -> Result<Items<'b, 'v>, ExecutionError> {
    budget::step()?;
    let mut items = list.as_iterable().ok_or_else(|| unexpected("the list", [list.as_ref()]))?.iter();
    Ok(std::iter::from_fn(|| items.next()).collect())
}

fn order(left: &dyn Val, right: &dyn Val) -> Result<Ordering, ExecutionError> {
    let comparer = left.as_comparer().ok_or_else(|| unexpected("_<_", [left, right]))?;
    comparer.compare(right).map_err(|_| unexpected("_<_", [left, right]))
}

fn is_sorted<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    for pair in items(&arguments[0])?.windows(2) {
        if order(pair[0], pair[1])? == Ordering::Greater {
            return Ok(truth(false));
        }
    }
    Ok(truth(true))
}

/// Of an empty list it is 0.
fn sum<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let items = items(&arguments[0])?;
    let Some((first, others)) = items.split_first() else { return Ok(CowVal::owned(CelInt::from(0))) };
    let mut sum: Box<dyn Val + 'v> = first.clone_as_boxed();
    if let Some(odd) = items.iter().find(|item| item.get_type() == &STRING_TYPE || item.get_type() == &LIST_TYPE) {
        return Err(unexpected("sum", [*odd as &dyn Val]));
    }
    for item in others {
        let adder = sum.as_adder().ok_or_else(|| unexpected("sum", [*item]))?;
        let next = adder.add(*item).map_err(|_| unexpected("sum", [sum.as_ref(), *item]))?.into_owned();
        sum = next;
    }
    Ok(CowVal::Owned(sum))
}

fn extreme<'b, 'v>(arguments: Arguments<'b, 'v>, wanted: Ordering) -> Answer<'b, 'v> {
    let items = items(&arguments[0])?;
    let name = if wanted == Ordering::Less { "min" } else { "max" };
    let mut best = *items.first().ok_or_else(|| failed(name, "called on an empty list"))?;
    for item in &items[1..] {
        if order(*item, best)? == wanted {
            best = *item;
        }
    }
    Ok(CowVal::Owned(best.clone_as_boxed()))
}

fn index<'b, 'v>(arguments: Arguments<'b, 'v>, from_end: bool) -> Answer<'b, 'v> {
    let (items, wanted) = (items(&arguments[0])?, arguments[1].as_ref());
    let is_it = |item: &&(dyn Val + 'v)| equal(*item, wanted);
    let found = if from_end { items.iter().rposition(&is_it) } else { items.iter().position(is_it) };
    Ok(CowVal::owned(CelInt::from(found.map_or(-1, |at| at as i64))))
}

/// Each value once, in the order of the first.
fn distinct<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let mut once: Items<'_, 'v> = vec![];
    for item in items(&arguments[0])? {
        let mut is_known = false;
        for known in &once {
            budget::step()?;
            is_known |= equal(*known, item);
        }
        if !is_known {
            once.push(item);
        }
    }
    let once: Vec<Box<dyn Val + 'v>> = once.into_iter().map(|item| item.clone_as_boxed()).collect();
    Ok(CowVal::owned(CelList::from(once)))
}

fn holds(items: &[&dyn Val], wanted: &dyn Val) -> bool {
    items.iter().any(|item| budget::step().is_ok() && equal(*item, wanted))
}

fn sets<'b, 'v>(arguments: Arguments<'b, 'v>, question: fn(&[&dyn Val], &[&dyn Val]) -> bool) -> Answer<'b, 'v> {
    let (one, other) = (items(&arguments[0])?, items(&arguments[1])?);
    let one: Vec<&dyn Val> = one.iter().map(|item| *item as &dyn Val).collect();
    let other: Vec<&dyn Val> = other.iter().map(|item| *item as &dyn Val).collect();
    Ok(truth(question(&one, &other)))
}
