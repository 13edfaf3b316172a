//! Regular expressions, with RE2's meaning of patterns.

use super::{Answer, Arguments, text, text_at};
use crate::cel::budget;
use crate::cel::environment::{function, method};
use crate::cel::equality::truth;
use crate::cel::fault::failed;
use crate::engine::builtins::pattern;
use cel::common::types::{CelInt, CelList, CelString, INT_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use std::rc::Rc;

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    method(env, "matches", STRING_TYPE, vec![STRING_TYPE], matches)?;
    function(env, "matches", vec![STRING_TYPE, STRING_TYPE], matches)?;
    method(env, "find", STRING_TYPE, vec![STRING_TYPE], find)?;
    method(env, "findAll", STRING_TYPE, vec![STRING_TYPE], find_all)?;
    method(env, "findAll", STRING_TYPE, vec![STRING_TYPE, INT_TYPE], find_all)
}

fn compiled(arguments: &Arguments<'_, '_>) -> Result<Rc<::regex::Regex>, ExecutionError> {
    budget::step()?;
    pattern(text_at(arguments, 1)?).ok_or_else(|| failed("matches", "the pattern is no regular expression of RE2"))
}

fn matches<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(truth(compiled(&arguments)?.is_match(text_at(&arguments, 0)?)))
}

fn find<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let regex = compiled(&arguments)?;
    let found = regex.find(text_at(&arguments, 0)?).map_or("", |found| found.as_str());
    budget::take(found.len())?;
    Ok(text(found))
}

fn find_all<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let regex = compiled(&arguments)?;
    let limit = arguments.get(2).and_then(|limit| limit.downcast_ref::<CelInt>());
    let limit = limit.and_then(|limit| usize::try_from(*limit.inner()).ok()).unwrap_or(usize::MAX);
    let mut found: Vec<Box<dyn Val + 'v>> = vec![];
    for one in regex.find_iter(text_at(&arguments, 0)?).take(limit) {
        budget::take(one.len() + 64)?;
        found.push(Box::new(CelString::from(one.as_str().to_owned())));
    }
    Ok(CowVal::owned(CelList::from(found)))
}
