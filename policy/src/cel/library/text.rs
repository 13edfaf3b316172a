//! Texts made of others, counted before they are made.

use super::{Answer, Arguments, text, text_at};
use crate::cel::budget;
use crate::cel::environment::method;
use crate::cel::fault::{failed, unexpected};
use cel::common::functions::Function;
use cel::common::types::{CelInt, CelList, CelString, INT_TYPE, LIST_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    method(env, "@replace", STRING_TYPE, vec![STRING_TYPE, STRING_TYPE], replace)?;
    method(env, "@replace", STRING_TYPE, vec![STRING_TYPE, STRING_TYPE, INT_TYPE], replace)?;
    method(env, "@join", LIST_TYPE, vec![], join)?;
    method(env, "@join", LIST_TYPE, vec![STRING_TYPE], join)?;
    for (name, find) in [("@indexOf", index as Function), ("@lastIndexOf", last_index)] {
        method(env, name, STRING_TYPE, vec![STRING_TYPE], find)?;
        method(env, name, STRING_TYPE, vec![STRING_TYPE, INT_TYPE], find)?;
    }
    method(env, "@split", STRING_TYPE, vec![STRING_TYPE], split)?;
    method(env, "@split", STRING_TYPE, vec![STRING_TYPE, INT_TYPE], split)
}

/// How many; all when it is not said or negative.
fn limit(arguments: &Arguments<'_, '_>, place: usize) -> usize {
    let number = arguments.get(place).and_then(|number| number.downcast_ref::<CelInt>());
    number.and_then(|number| usize::try_from(*number.inner()).ok()).unwrap_or(usize::MAX)
}

fn replace<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    budget::step()?;
    let (whole, old, new) = (text_at(&arguments, 0)?, text_at(&arguments, 1)?, text_at(&arguments, 2)?);
    let limit = limit(&arguments, 3);
    let count = whole.matches(old).take(limit).count();
    budget::take(whole.len() + count.saturating_mul(new.len()))?;
    Ok(text(whole.replacen(old, new, limit)))
}

/// A place in letters as one in bytes; an error when there is none.
fn byte_at(whole: &str, letter: i64) -> Result<usize, ExecutionError> {
    let place = usize::try_from(letter).ok().and_then(|letter| whole.char_indices().map(|(at, _)| at).nth(letter));
    place.ok_or_else(|| failed("indexOf", format!("index out of range: {letter}")))
}

/// The place in letters, -1 for none.
fn letter_at<'b, 'v>(whole: &str, found: Option<usize>) -> CowVal<'b, 'v> {
    CowVal::owned(CelInt::from(found.map_or(-1, |at| whole[..at].chars().count() as i64)))
}

fn offset(arguments: &Arguments<'_, '_>) -> Option<i64> {
    arguments.get(2).and_then(|offset| offset.downcast_ref::<CelInt>()).map(|offset| *offset.inner())
}

fn index<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    budget::step()?;
    let (whole, part) = (text_at(&arguments, 0)?, text_at(&arguments, 1)?);
    let from = match offset(&arguments) {
        Some(offset) if offset < 0 || !part.is_empty() => byte_at(whole, offset)?,
        Some(offset) => byte_at(whole, offset).unwrap_or(whole.len()),
        None => 0,
    };
    Ok(letter_at(whole, whole[from..].find(part).map(|at| at + from)))
}

fn last_index<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    budget::step()?;
    let (whole, part) = (text_at(&arguments, 0)?, text_at(&arguments, 1)?);
    let last = match offset(&arguments) {
        Some(offset) if offset < 0 || !part.is_empty() => byte_at(whole, offset)?,
        Some(offset) => byte_at(whole, offset).unwrap_or(whole.len()),
        None => whole.len(),
    };
    // It begins at that place at the latest.
    let end = whole.floor_char_boundary(last.saturating_add(part.len()).min(whole.len()));
    Ok(letter_at(whole, whole[..end].rfind(part)))
}

fn join<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    budget::step()?;
    let between = if arguments.len() > 1 { text_at(&arguments, 1)? } else { "" };
    let parts = texts(arguments[0].as_ref())?;
    budget::take(parts.iter().map(|part| part.len() + between.len()).fold(0, usize::saturating_add))?;
    Ok(text(parts.join(between)))
}

/// The texts of a list.
fn texts<'b>(list: &'b (dyn Val + '_)) -> Result<Vec<&'b str>, ExecutionError> {
    let mut items = list.as_iterable().ok_or_else(|| unexpected("join", [list]))?.iter();
    let mut texts = vec![];
    while let Some(item) = items.next() {
        texts.push(item.downcast_ref::<CelString<'_>>().ok_or_else(|| unexpected("join", [list]))?.inner());
    }
    Ok(texts)
}

fn split<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    budget::step()?;
    let (whole, between) = (text_at(&arguments, 0)?, text_at(&arguments, 1)?);
    let limit = limit(&arguments, 2);
    let most = if between.is_empty() { whole.chars().count() } else { whole.matches(between).count() + 1 };
    budget::take(whole.len() + most.min(limit).saturating_mul(64))?;
    let parts: Vec<String> = match (limit, between) {
        (0, _) => vec![],
        (limit, "") => letters(whole, limit),
        (limit, between) => whole.splitn(limit, between).map(str::to_owned).collect(),
    };
    let parts = parts.into_iter().map(|part| Box::new(CelString::from(part)) as Box<dyn Val + 'v>);
    Ok(CowVal::owned(CelList::from(parts.collect::<Vec<_>>())))
}

/// Its letters, the last with all that is left.
fn letters(whole: &str, limit: usize) -> Vec<String> {
    let mut parts = vec![];
    let mut rest = whole;
    while let Some(letter) = rest.chars().next().filter(|_| parts.len() + 1 < limit) {
        parts.push(letter.to_string());
        rest = &rest[letter.len_utf8()..];
    }
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts
}
