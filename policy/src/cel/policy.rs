//! The expressions of one template, evaluated as Kubernetes evaluates those of an admission policy: conditions, then
//! variables when they are asked for, then validations with their messages.

use super::budget::{self, Spent};
use super::equality::truth;
use super::evaluate::{Held, Scope};
use super::fault::{describe, failed};
use super::rewrite::{Expression, OF_POLICY};
use super::value::{self, Shared};
use cel::ExecutionError;
use cel::common::types::{CelBool, CelMap, CelString, DYN_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use std::any::Any;
use std::time::Duration;

/// The longest message that an expression may make, in bytes, as in Kubernetes.
const LONGEST_MESSAGE: usize = 5 << 10;
/// The most of an expression that is shown in a message.
const LONGEST_SHOWN: usize = 400;

/// All expressions of one template.
#[derive(Debug)]
pub(crate) struct Source {
    /// Whether it judges at all; all must be true.
    pub conditions: Vec<Expression>,
    /// What its author named, in order. Each sees the earlier ones.
    pub variables: Vec<(String, Expression)>,
    pub validations: Vec<Validation>,
    /// Whether what cannot be evaluated is passed (`failurePolicy: Ignore`).
    pub ignores_errors: bool,
}

/// What must be true of an object.
#[derive(Debug)]
pub(crate) struct Validation {
    pub expression: Expression,
    pub message: Option<String>,
    pub message_expression: Option<Expression>,
}

/// A template's expressions, ready to be asked.
#[derive(Debug)]
pub(crate) struct Policy(Source);

/// What is judged, and with what.
pub(crate) struct Asked<'a> {
    /// `object`, `oldObject`, `request`, `namespaceObject` and `params`.
    pub names: &'a [(&'static str, Shared)],
    /// What the dialect itself puts among the variables.
    pub variables: &'a [(&'static str, Shared)],
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// What is not as it should be, and what could not be evaluated: each a sentence.
    Judged { failures: Vec<String>, errors: Vec<String> },
    /// It took longer than it may.
    OutOfTime,
    /// It made more than it may.
    TooLarge,
}

impl Policy {
    /// The policy of these expressions.
    pub(crate) fn new(source: Source) -> Self {
        Self(source)
    }

    /// Whether errors are passed.
    pub(crate) fn ignores_errors(&self) -> bool {
        self.0.ignores_errors
    }

    /// Whether any expression asks for the Namespace object.
    pub(crate) fn wants_namespace(&self) -> bool {
        let Source { conditions, variables, validations, .. } = &self.0;
        let of_validations =
            validations.iter().flat_map(|one| std::iter::once(&one.expression).chain(&one.message_expression));
        let mut all = conditions.iter().chain(variables.iter().map(|(_, expression)| expression)).chain(of_validations);
        all.any(|expression| expression.names_namespace)
    }

    /// Judges within the limit.
    pub(crate) fn judge(&self, asked: &Asked<'_>, limit: Duration) -> Said {
        budget::start(limit);
        let mut evaluation = Evaluation::new(self, asked);
        let said = match evaluation.matches() {
            Ok(false) => Said::Judged { failures: vec![], errors: vec![] },
            Ok(true) => evaluation.validate(),
            Err(errors) => Said::Judged { failures: vec![], errors },
        };
        match budget::spent() {
            None => said,
            Some(Spent::Time) => Said::OutOfTime,
            Some(Spent::Bytes) => Said::TooLarge,
        }
    }
}

struct Evaluation<'a> {
    source: &'a Source,
    /// How many values there are before the author's variables.
    given: usize,
    /// By the places of their names. Variables of the author's have a value or an error once they are asked for.
    values: Vec<Option<Box<dyn Val>>>,
}

impl<'a> Evaluation<'a> {
    fn new(policy: &'a Policy, asked: &Asked<'_>) -> Self {
        let source = &policy.0;
        let name = |name: &&str| asked.names.iter().find(|(known, _)| known == name).map(|(_, value)| value.val());
        let mut values: Vec<_> = OF_POLICY.iter().map(name).collect();
        values.extend(asked.variables.iter().map(|(_, value)| Some(value.val())));
        let given = values.len();
        values.resize_with(given + source.variables.len(), || None);
        Self { source, given, values }
    }

    /// Whether the policy judges this. One condition that is false is enough for no, whatever is wrong with others.
    fn matches(&mut self) -> Result<bool, Vec<String>> {
        let mut errors = vec![];
        let source = self.source;
        for condition in &source.conditions {
            match self.boolean(condition) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => errors.push(unevaluated(condition, &error)),
            }
        }
        if errors.is_empty() { Ok(true) } else { Err(errors) }
    }

    fn validate(&mut self) -> Said {
        let (mut failures, mut errors) = (vec![], vec![]);
        let source = self.source;
        for validation in &source.validations {
            match self.boolean(&validation.expression) {
                Ok(true) => {}
                Ok(false) => failures.push(self.message(validation)),
                Err(error) => errors.push(unevaluated(&validation.expression, &error)),
            }
        }
        Said::Judged { failures, errors }
    }

    /// The message of a validation that is false: what its expression makes, else its text, else the expression.
    fn message(&mut self, validation: &Validation) -> String {
        let made = validation.message_expression.as_ref().and_then(|expression| self.text(expression));
        let written =
            || validation.message.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        made.or_else(written).unwrap_or_else(|| format!("failed expression: {}", shown(&validation.expression)))
    }

    /// One line of text, not too long.
    fn text(&mut self, expression: &Expression) -> Option<String> {
        self.know_all(expression);
        let value = self.value(expression).ok()?;
        let text = value.downcast_ref::<CelString<'_>>()?.inner().trim();
        (!text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n')).then(|| text.to_owned())
    }

    fn boolean(&mut self, expression: &Expression) -> Result<bool, ExecutionError> {
        self.know_all(expression);
        let value = self.value(expression)?;
        let value = value.downcast_ref::<CelBool>().map(|value| *value.inner());
        value.ok_or_else(|| failed("the expression", "it is neither true nor false"))
    }

    fn know_all(&mut self, expression: &Expression) {
        for at in &expression.needs {
            self.know(OF_POLICY.len() + *at);
        }
    }

    /// The value of an expression whose variables are known.
    fn value<'v>(&'v self, expression: &'v Expression) -> Result<Held<'v>, ExecutionError> {
        budget::step()?;
        expression.tree.value(&Scope::Policy(&self.values))
    }

    /// Gives a variable its value, or its error, and before it those that it asks for.
    fn know(&mut self, position: usize) {
        let source = self.source;
        let Some(at) = position.checked_sub(self.given).filter(|_| self.values[position].is_none()) else { return };
        let (_, expression) = &source.variables[at];
        self.know_all(expression);
        let value = match self.value(expression) {
            Ok(value) => value::settled(value.into_owned()),
            Err(error) => Box::new(Failed(describe(&error))),
        };
        self.values[position] = Some(value);
    }
}

fn unevaluated(expression: &Expression, error: &ExecutionError) -> String {
    format!("expression '{}' resulted in error: {}", shown(expression), describe(error))
}

fn shown(expression: &Expression) -> String {
    let text = expression.text.trim();
    if text.len() <= LONGEST_SHOWN {
        text.to_owned()
    } else {
        format!("{}…", &text[..text.floor_char_boundary(LONGEST_SHOWN)])
    }
}

/// A variable that could not be evaluated: an error of whoever asks for it.
#[derive(Debug, Clone)]
struct Failed(String);

impl Val for Failed {
    fn get_type(&self) -> &Type {
        &DYN_TYPE
    }
    fn cel_type() -> &'static Type {
        static KIND: Type = DYN_TYPE;
        &KIND
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Failed {}

/// The value of a variable, or its error.
pub(super) fn held_value<'a, 'v>(value: &'a (dyn Val + 'v)) -> Result<&'a (dyn Val + 'v), ExecutionError> {
    match value.downcast_ref::<Failed>() {
        Some(Failed(reason)) => Err(failed("variables", reason)),
        None => Ok(value),
    }
}

/// `@held(variables.x)`: its value, or its error.
pub(super) fn held<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = arguments.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
    held_value(value.as_ref())?;
    Ok(value)
}

/// `@present(x)`: true, if `x` has a value at all.
pub(super) fn present<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(truth(true))
}

/// `@settled(x)`: `x`, with its keys in order if it is a map.
pub(super) fn settled<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = arguments.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let Some(map) = value.downcast_ref::<CelMap<'_>>() else { return Ok(value) };
    let mut keys: Vec<_> = map.inner().keys().cloned().collect();
    keys.sort();
    let keys = keys.into_iter().map(|key| key.inner().clone_as_boxed()).collect::<Vec<Box<dyn Val + 'v>>>();
    Ok(CowVal::owned(cel::common::types::CelList::from(keys)))
}
