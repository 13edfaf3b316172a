//! The value of an expression that is laid out. Values are borrowed from where they are; what the crate is asked, and
//! every error of its own, is in its words.

use super::equality::{equal, truth};
use super::policy::held_value;
use super::tree::{Foreign, Loop, Node, Operation, Place, Quick, Step, given_name};
use super::{budget, environment};
use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelList, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::{ExecutionError, Value};

/// A value that borrows from nothing.
type One = dyn Val + 'static;
pub(super) type Held<'a> = CowVal<'a, 'static>;
type Outcome<'a> = Result<Held<'a>, ExecutionError>;

/// The values of names.
pub(super) enum Scope<'a> {
    /// Those of the whole policy; what has no value yet is not asked for.
    Policy(&'a [Option<Box<dyn Val>>]),
    Loop {
        outer: &'a Scope<'a>,
        made: &'a One,
        item: &'a One,
    },
}

impl<'a> Scope<'a> {
    fn find(&self, place: Place) -> Option<&'a One> {
        match (self, place) {
            (Scope::Policy(values), Place::Policy(at)) => values.get(at)?.as_deref(),
            (Scope::Loop { outer, .. }, Place::Policy(_)) => outer.find(place),
            (Scope::Loop { item, .. }, Place::Item(0)) => Some(*item),
            (Scope::Loop { made, .. }, Place::Made(0)) => Some(*made),
            (Scope::Loop { outer, .. }, Place::Item(outwards)) => outer.find(Place::Item(outwards - 1)),
            (Scope::Loop { outer, .. }, Place::Made(outwards)) => outer.find(Place::Made(outwards - 1)),
            (Scope::Policy(_), _) => None,
        }
    }

    fn get(&self, place: Place) -> Result<&'a One, ExecutionError> {
        self.find(place).ok_or_else(|| ExecutionError::undeclared_reference("variables"))
    }
}

impl Node {
    /// Its value, or its error.
    pub(super) fn value<'a>(&'a self, scope: &Scope<'a>) -> Outcome<'a> {
        match self {
            Node::Literal(literal) => Ok(literal.to_val()),
            Node::Name(place) => scope.get(*place).map(CowVal::Borrowed),
            Node::Held(place) => held_value(scope.get(*place)?).map(CowVal::Borrowed),
            Node::If(parts) => parts[if parts[0].holds(scope)? { 1 } else { 2 }].value(scope),
            Node::And(_) | Node::Or(_) | Node::Not(_) | Node::NotFalse(_) | Node::Equals(_) => {
                self.holds(scope).map(truth)
            }
            Node::Own(function, given) => function(values(given, scope)?),
            Node::Operation(operation) => operation.value(scope),
            Node::List(elements) => {
                let elements = elements.iter().map(|element| element.value(scope).map(CowVal::into_owned));
                Ok(CowVal::owned(CelList::from(elements.collect::<Result<Vec<_>, _>>()?)))
            }
            Node::Loop(made) => made.value(scope),
            Node::Foreign(foreign) => foreign.value(scope),
        }
    }

    /// Whether it is true; an error if it is neither true nor false.
    fn holds<'a>(&'a self, scope: &Scope<'a>) -> Result<bool, ExecutionError> {
        match self {
            Node::And(sides) => both(&sides[0], &sides[1], scope, false),
            Node::Or(sides) => both(&sides[0], &sides[1], scope, true),
            Node::Not(node) => {
                let value = node.value(scope)?;
                let error = || ExecutionError::no_such_overload("!_", vec![value.get_type().name().to_owned()]);
                boolean(value.as_ref()).map(|value| !value).ok_or_else(error)
            }
            Node::NotFalse(node) => Ok(node.holds(scope).unwrap_or(true)),
            Node::Equals(sides) => {
                let (left, right) = (sides[0].value(scope)?, sides[1].value(scope)?);
                budget::step()?;
                Ok(equal(left.as_ref(), right.as_ref()))
            }
            node => {
                let value = node.value(scope)?;
                boolean(value.as_ref()).ok_or_else(|| ExecutionError::UnexpectedType {
                    got: value.get_type().name().to_owned(),
                    want: "bool".to_owned(),
                })
            }
        }
    }
}

fn boolean(value: &dyn Val) -> Option<bool> {
    value.downcast_ref::<CelBool>().map(|value| *value.inner())
}

/// `&&` (nothing but `false` decides alone) and `||` (nothing but `true` does): a side that decides makes good the error
/// of the other.
fn both<'a>(left: &'a Node, right: &'a Node, scope: &Scope<'a>, decides: bool) -> Result<bool, ExecutionError> {
    let left = left.holds(scope);
    if left.as_ref() == Ok(&decides) {
        return Ok(decides);
    }
    let right = right.value(scope)?;
    match (left, boolean(right.as_ref())) {
        (Ok(_), Some(right)) => Ok(right),
        (Err(_), Some(right)) if right == decides => Ok(decides),
        (left, _) => {
            let operator = if decides { "_||_" } else { "_&&_" };
            let mismatch = |left: String| {
                ExecutionError::no_such_overload(operator, vec![left, right.get_type().name().to_owned()])
            };
            Err(match left {
                Err(ExecutionError::UnexpectedType { got, want }) if want == "bool" => mismatch(got),
                Err(error) => error,
                Ok(_) => mismatch("bool".to_owned()),
            })
        }
    }
}

fn values<'a>(nodes: &'a [Node], scope: &Scope<'a>) -> Result<Vec<Held<'a>>, ExecutionError> {
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        values.push(node.value(scope)?);
    }
    Ok(values)
}

impl Operation {
    fn value<'a>(&'a self, scope: &Scope<'a>) -> Outcome<'a> {
        match (&self.quick, self.given.as_slice()) {
            (Quick::Field(name), [holder]) => {
                let holder = holder.value(scope)?;
                match field(&holder, name) {
                    Some(found) => Ok(found),
                    None => self.by_the_crate(vec![holder]),
                }
            }
            (Quick::Function(name), given) => {
                let given = values(given, scope)?;
                match environment::overload(name, &given) {
                    Some(function) => function(given),
                    None => self.by_the_crate(given),
                }
            }
            (Quick::StartsWith, given) => self.of_texts(values(given, scope)?, |text, end| text.starts_with(end)),
            (Quick::EndsWith, given) => self.of_texts(values(given, scope)?, |text, end| text.ends_with(end)),
            (Quick::Add, given) => {
                let given = values(given, scope)?;
                let sum = given[0].as_adder().and_then(|adder| adder.add(given.get(1)?.as_ref()).ok());
                match sum.map(CowVal::into_owned) {
                    Some(sum) => Ok(CowVal::Owned(sum)),
                    None => self.by_the_crate(given),
                }
            }
            (_, given) => self.by_the_crate(values(given, scope)?),
        }
    }

    fn of_texts<'a>(&'a self, given: Vec<Held<'a>>, says: fn(&str, &str) -> bool) -> Outcome<'a> {
        if let [left, right] = given.as_slice()
            && let (Some(left), Some(right)) =
                (left.downcast_ref::<CelString<'_>>(), right.downcast_ref::<CelString<'_>>())
        {
            return Ok(truth(says(left.inner(), right.inner())));
        }
        self.by_the_crate(given)
    }

    fn by_the_crate<'a>(&'a self, given: Vec<Held<'a>>) -> Outcome<'a> {
        let named = given.into_iter().enumerate().map(|(at, value)| (given_name(at), value.into_owned()));
        by_the_crate(&self.slow, named)
    }
}

/// The field of a map; nothing when there is none, or the holder is something else.
fn field<'a>(holder: &Held<'a>, name: &CelString<'static>) -> Option<Held<'a>> {
    match holder {
        CowVal::Borrowed(holder) => holder.as_indexer()?.get(name).ok(),
        CowVal::Owned(holder) => {
            let found = holder.as_indexer()?.get(name).ok()?;
            Some(CowVal::Owned(found.into_owned()))
        }
    }
}

impl Foreign {
    fn value<'a>(&'a self, scope: &Scope<'a>) -> Outcome<'a> {
        let mut named = Vec::with_capacity(self.names.len());
        for (name, node) in &self.names {
            named.push((name.clone(), node.value(scope)?.into_owned()));
        }
        by_the_crate(&self.expression, named.into_iter())
    }
}

fn by_the_crate<'a>(expression: &IdedExpr, named: impl Iterator<Item = (String, Box<dyn Val>)>) -> Outcome<'a> {
    let mut context = environment::context();
    named.for_each(|(name, value)| context.add_variable_as_val(name, value));
    Value::resolve_val(expression, &context).map(|value| CowVal::Owned(value.into_owned()))
}

impl Loop {
    fn value<'a>(&'a self, scope: &Scope<'a>) -> Outcome<'a> {
        let first = self.first.value(scope)?;
        let range = self.range.value(scope)?;
        match &self.step {
            Step::Next { made, absorbing } => self.fold(scope, first.into_owned(), &range, (made, *absorbing)),
            Step::Append { only_if, items } => append(scope, &range, only_if.as_ref(), items),
        }
    }

    fn fold<'a>(
        &'a self,
        scope: &Scope<'a>,
        mut made: Box<dyn Val>,
        range: &Held<'_>,
        (step, absorbing): (&Node, Option<bool>),
    ) -> Outcome<'a> {
        let mut pending = None;
        let mut items = range.as_iterable().ok_or_else(|| no_list(range))?.iter();
        while let Some(item) = items.next() {
            let within = Scope::Loop { outer: scope, made: made.as_ref(), item };
            if !self.goes_on.holds(&within)? {
                break;
            }
            match (step.value(&within).map(CowVal::into_owned), absorbing) {
                (Err(error), Some(_)) => pending = Some(error),
                (Err(error), None) => return Err(error),
                (Ok(next), Some(absorbing)) if pending.is_some() && boolean(next.as_ref()) != Some(absorbing) => {}
                (Ok(next), _) => {
                    pending = None;
                    made = next;
                }
            }
        }
        if let Some(error) = pending {
            return Err(error);
        }
        if matches!(self.result, Node::Name(Place::Made(0))) {
            return Ok(CowVal::Owned(made));
        }
        let within = Scope::Loop { outer: scope, made: made.as_ref(), item: &CelNull };
        Ok(CowVal::Owned(self.result.value(&within)?.into_owned()))
    }
}

fn append<'a>(scope: &Scope<'_>, range: &Held<'_>, only_if: Option<&Node>, wanted: &[Node]) -> Outcome<'a> {
    let mut list: Vec<Box<dyn Val>> = vec![];
    let mut items = range.as_iterable().ok_or_else(|| no_list(range))?.iter();
    while let Some(item) = items.next() {
        let within = Scope::Loop { outer: scope, made: &CelNull, item };
        if only_if.map_or(Ok(true), |condition| condition.holds(&within))? {
            for node in wanted {
                list.push(node.value(&within)?.into_owned());
            }
        }
    }
    Ok(CowVal::owned(CelList::from(list)))
}

fn no_list(value: &Held<'_>) -> ExecutionError {
    ExecutionError::UnexpectedType { got: value.get_type().name().to_owned(), want: "iterable".to_owned() }
}
