//! A review's values as expressions see them. Lists and maps are shared, so that a loop over them copies nothing; maps
//! are sorted by key, so that an evaluation says the same each time.

use super::fault::unexpected;
use crate::engine::Value;
use cel::ExecutionError;
use cel::common::traits::{self, Adder, Container, Indexer, Iterable, Sizer, Zeroer};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, LIST_TYPE, MAP_TYPE, Type,
};
use cel::common::value::{CowVal, StaticVal, Val};
use std::any::Any;
use std::sync::Arc;

/// A value that can be handed to evaluations again and again.
#[derive(Debug)]
pub(crate) struct Shared(Box<dyn Val>);

impl Shared {
    /// The engine's value; what is undefined is null.
    pub(crate) fn new(value: &Value) -> Self {
        Self(from_engine(value))
    }

    /// One more of it.
    pub(super) fn val(&self) -> Box<dyn Val> {
        self.0.clone_as_boxed()
    }

    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        self.0.downcast_ref::<CelNull>().is_some()
    }
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self(self.val())
    }
}

fn from_engine(value: &Value) -> Box<dyn Val> {
    match value {
        Value::Null | Value::Undefined => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text.to_string())),
        Value::Array(items) => Box::new(List(items.iter().map(from_engine).collect())),
        Value::Set(items) => Box::new(List(items.iter().map(from_engine).collect())),
        // The keys of JSON are texts, and already sorted.
        Value::Object(fields) => {
            let text = |key: &Value| key.as_string().map(|key| CelString::from(key.to_string())).ok();
            let entries = fields.iter().filter_map(|(key, value)| Some((text(key)?, from_engine(value))));
            Box::new(Map(entries.collect()))
        }
    }
}

/// The value as the shapes above, where it is a list or a map of texts: what an expression made is then as cheap to use
/// as what it was given, and its order is known.
pub(super) fn settled(value: Box<dyn Val>) -> Box<dyn Val> {
    let value = match Vec::<Box<dyn Val>>::try_from(value) {
        Ok(items) => return Box::new(List(items.into())),
        Err(value) => value,
    };
    let Some(map) = value.downcast_ref::<CelMap<'_>>() else { return value };
    let mut entries = vec![];
    for (key, value) in map.inner() {
        let CelMapKey::String(key) = key else { return map.clone_as_boxed() };
        entries.push((CelString::from(key.inner().to_owned()), value.clone_as_boxed()));
    }
    entries.sort_by(|(a, _), (b, _)| a.inner().cmp(b.inner()));
    Box::new(Map(entries.into()))
}

/// A list.
#[derive(Debug, Clone)]
pub(super) struct List(pub(super) Arc<[Box<dyn Val>]>);

/// A map whose keys are texts.
#[derive(Debug, Clone)]
pub(super) struct Map(Arc<[(CelString<'static>, Box<dyn Val>)]>);

impl Map {
    fn find(&self, key: &str) -> Option<&(dyn Val + 'static)> {
        let at = self.0.binary_search_by(|(name, _)| name.inner().cmp(key)).ok()?;
        Some(self.0[at].1.as_ref())
    }
}

macro_rules! shared_container {
    ($shape:ident, $kind:ident) => {
        fn get_type(&self) -> &Type {
            &$kind
        }
        fn cel_type() -> &'static Type {
            static KIND: Type = $kind;
            &KIND
        }
        fn as_container(&self) -> Option<&dyn Container> {
            Some(self)
        }
        fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }
        fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }
        fn as_sizer(&self) -> Option<&dyn Sizer> {
            Some(self)
        }
        fn as_zeroer(&self) -> Option<&dyn Zeroer> {
            Some(self)
        }
        fn equals(&self, other: &dyn Val) -> bool {
            super::equality::equal(self, other)
        }
        fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
        where
            Self: 'v,
        {
            Box::new(self.clone())
        }
        fn as_any(&self) -> Option<&dyn Any> {
            Some(self)
        }
    };
}

impl Val for List {
    shared_container!(List, LIST_TYPE);

    fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }
}

impl Val for Map {
    shared_container!(Map, MAP_TYPE);
}

impl StaticVal for List {}
impl StaticVal for Map {}

impl Adder for List {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let others = other.as_iterable().filter(|_| other.get_type() == &LIST_TYPE);
        let mut others = others.ok_or_else(|| unexpected("_+_", [self as &dyn Val, other]))?.iter();
        let mut all: Vec<Box<dyn Val + 'v>> = self.0.iter().map(|item| item.clone_as_boxed()).collect();
        while let Some(item) = others.next() {
            all.push(item.clone_as_boxed());
        }
        Ok(CowVal::owned(CelList::from(all)))
    }
}

impl Container for List {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.0.iter().any(|item| super::equality::equal(item.as_ref(), value)))
    }
}

impl Container for Map {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(key.downcast_ref::<CelString<'_>>().is_some_and(|key| self.find(key.inner()).is_some()))
    }
}

impl Indexer for List {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let at = position(index).ok_or_else(|| unexpected("_[_]", [self as &dyn Val, index]))?;
        let found = usize::try_from(at).ok().and_then(|at| self.0.get(at));
        let found =
            found.ok_or_else(|| ExecutionError::function_error("_[_]", format!("index {at} is out of range")))?;
        Ok(CowVal::Borrowed(found.as_ref()))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Indexer for Map {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(key) = key.downcast_ref::<CelString<'_>>() else {
            return Err(ExecutionError::no_such_key(key.get_type().name()));
        };
        let found = self.find(key.inner()).ok_or_else(|| ExecutionError::no_such_key(key.inner()))?;
        Ok(CowVal::Borrowed(found))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

/// A whole number as a place in a list.
fn position(index: &dyn Val) -> Option<i128> {
    use cel::common::types::CelUInt;
    if let Some(index) = index.downcast_ref::<CelInt>() {
        return Some((*index.inner()).into());
    }
    if let Some(index) = index.downcast_ref::<CelUInt>() {
        return Some((*index.inner()).into());
    }
    let index = *index.downcast_ref::<CelDouble>()?.inner();
    (index.fract() == 0.0).then_some(index as i128)
}

struct Items<'b>(std::slice::Iter<'b, Box<dyn Val>>);
struct Keys<'b>(std::slice::Iter<'b, (CelString<'static>, Box<dyn Val>)>);

impl<'b, 'v> traits::Iterator<'b, 'v> for Items<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|item| item.as_ref() as &(dyn Val + 'v))
    }
}

impl<'b, 'v> traits::Iterator<'b, 'v> for Keys<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|(key, _)| key as &(dyn Val + 'v))
    }
}

impl Iterable for List {
    fn iter<'b, 'v>(&'b self) -> Box<dyn traits::Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Items(self.0.iter()))
    }
}

impl Iterable for Map {
    fn iter<'b, 'v>(&'b self) -> Box<dyn traits::Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys(self.0.iter()))
    }
}

impl Sizer for List {
    fn size(&self) -> CelInt {
        CelInt::from(self.0.len() as i64)
    }
}

impl Sizer for Map {
    fn size(&self) -> CelInt {
        CelInt::from(self.0.len() as i64)
    }
}

impl Zeroer for List {
    fn is_zero_value(&self) -> bool {
        self.0.is_empty()
    }
}

impl Zeroer for Map {
    fn is_zero_value(&self) -> bool {
        self.0.is_empty()
    }
}
