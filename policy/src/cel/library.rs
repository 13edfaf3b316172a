//! Kubernetes' own functions, and those of the language that must be bounded. One file per subject.

mod address;
mod format;
mod lists;
mod quantity;
mod regex;
mod semver;
mod text;
mod url;

use super::fault::unexpected;
use cel::common::types::{CelString, Type};
use cel::common::value::{CowVal, FromVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// Declares them all.
pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    text::add(env)?;
    regex::add(env)?;
    lists::add(env)?;
    quantity::add(env)?;
    semver::add(env)?;
    url::add(env)?;
    address::add(env)?;
    format::add(env)
}

/// The argument at this place.
fn at<'a, 'b, 'v, T: FromVal<'a, 'v>>(arguments: &'a [CowVal<'b, 'v>], place: usize) -> Result<&'a T, ExecutionError>
where
    'b: 'a,
{
    let found = arguments.get(place).and_then(|argument| argument.downcast_ref::<T>());
    found.ok_or_else(|| unexpected("the function", arguments.iter().map(|argument| argument.as_ref())))
}

/// The text at this place.
fn text_at<'a>(arguments: &'a [CowVal<'_, '_>], place: usize) -> Result<&'a str, ExecutionError> {
    let found = arguments.get(place).and_then(|argument| argument.downcast_ref::<CelString<'_>>());
    let found = found.ok_or_else(|| unexpected("the function", arguments.iter().map(|argument| argument.as_ref())))?;
    Ok(found.inner())
}

/// A text that was made.
fn text<'b, 'v>(text: impl Into<String>) -> CowVal<'b, 'v> {
    CowVal::owned(CelString::from(text.into()))
}

/// A type of Kubernetes' that the language does not have.
macro_rules! opaque {
    ($shape:ident, $name:literal, $equal:expr) => {
        static KIND: cel::common::types::Type = cel::common::types::Type::new_unspecified_type($name);

        impl cel::common::value::Val for $shape {
            fn get_type(&self) -> &cel::common::types::Type {
                &KIND
            }
            fn cel_type() -> &'static cel::common::types::Type {
                &KIND
            }
            fn equals(&self, other: &dyn cel::common::value::Val) -> bool {
                let same: fn(&$shape, &$shape) -> bool = $equal;
                other.downcast_ref::<$shape>().is_some_and(|other| same(self, other))
            }
            fn clone_as_boxed<'v>(&self) -> Box<dyn cel::common::value::Val + 'v> {
                Box::new(self.clone())
            }
            fn as_any(&self) -> Option<&dyn std::any::Any> {
                Some(self)
            }
        }

        impl cel::common::value::StaticVal for $shape {}
    };
}
use opaque;

/// The type of an opaque value, for a declaration.
fn kind<T: Val>() -> Type {
    T::cel_type().to_owned()
}
