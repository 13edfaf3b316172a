//! Values of terms.

use super::super::{Base, Builtin, Collection, Comprehension, Key, Member, Reference, Term};
use super::{Flow, Run, Stop};
use crate::engine::Value;
use crate::engine::builtins::answer_of;
use regorus::unstable::{ArithOp, BinOp, BoolOp, Expr, Ref, Source, Span, numbers};
use std::collections::{BTreeMap, BTreeSet};

thread_local! {
    /// What builtins of the engine want to point at in their errors, of which nothing is read.
    static NOWHERE: (Span, Vec<Ref<Expr>>) = nowhere();
}

/// The most arguments of a builtin.
const MOST_ARGUMENTS: usize = 8;

fn nowhere() -> (Span, Vec<Ref<Expr>>) {
    let source = Source::from_contents("plan".into(), String::new()).expect("nothing is within all limits");
    let span = Span { source, line: 1, col: 1, start: 0, end: 0 };
    let null = || Ref::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
    let expressions = (0..MOST_ARGUMENTS).map(|_| null()).collect();
    (span, expressions)
}

impl<'p> Run<'p> {
    /// The value of a term, `Value::Undefined` when it has none.
    pub(super) fn value(&mut self, term: &'p Term) -> Result<Value, Stop> {
        match term {
            Term::Constant(value) => Ok(value.clone()),
            Term::Slot(slot) => Ok(self.slot(*slot).clone()),
            Term::Reference(reference) => self.reference(reference),
            Term::Array(items) => self.array(items),
            Term::Set(items) => self.set_of(items),
            Term::Object(fields) => self.object(fields),
            Term::Comprehension(comprehension) => self.comprehension(comprehension),
            Term::Call(rule, arguments) => self.call(*rule, arguments),
            Term::Builtin(builtin, arguments) => self.builtin(*builtin, arguments),
            Term::Compare(op, sides) => Ok(self.compare(op, &sides.0, &sides.1)?.map_or(Value::Undefined, Value::from)),
            Term::Arithmetic(op, sides) => self.arithmetic(op, &sides.0, &sides.1),
            Term::Sets(op, sides) => self.sets(op, &sides.0, &sides.1),
            Term::Member(member) => self.member(member),
        }
    }

    /// Whether the term is defined and not false.
    pub(super) fn holds(&mut self, term: &'p Term) -> Result<bool, Stop> {
        Ok(match term {
            Term::Compare(op, sides) => self.compare(op, &sides.0, &sides.1)? == Some(true),
            Term::Reference(reference) => {
                self.know(reference.base)?;
                !matches!(self.look(reference)?, Value::Undefined | Value::Bool(false))
            }
            term => !matches!(self.value(term)?, Value::Undefined | Value::Bool(false)),
        })
    }

    fn reference(&mut self, reference: &'p Reference) -> Result<Value, Stop> {
        self.know(reference.base)?;
        self.look(reference).cloned()
    }

    /// Evaluates that with which a reference begins.
    fn know(&mut self, base: Base) -> Result<(), Stop> {
        match base {
            Base::Rule(rule) if self.memory.rules[rule].is_none() => self.rule(rule).map(drop),
            Base::Input(path) if self.memory.inputs[path].is_none() => {
                let value = self.plan.inputs[path].iter().fold(self.input, |value, key| &value[key]);
                self.memory.inputs[path] = Some(value.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn look(&self, reference: &'p Reference) -> Result<&Value, Stop> {
        let mut value = match reference.base {
            Base::Input(path) => self.memory.inputs[path].as_ref().unwrap_or(&Value::Undefined),
            Base::Data => self.data,
            Base::Slot(slot) => self.slot(slot),
            Base::Rule(rule) => self.memory.rules[rule].as_ref().unwrap_or(&Value::Undefined),
        };
        for key in &reference.path {
            let key = match key {
                Key::Constant(key) => key,
                Key::Slot(slot) => self.slot(*slot),
            };
            let within = &value[key];
            // The engine reads a number as a text where there is one in `data`.
            if *within == Value::Undefined && reference.base == Base::Data && matches!(key, Value::Number(_)) {
                return Err(Stop::Unsure);
            }
            value = within;
        }
        Ok(value)
    }

    /// The value of a term that only has to be looked up, and of which nothing has to be evaluated any more.
    fn seen(&self, term: &'p Term) -> Result<Option<&Value>, Stop> {
        Ok(match term {
            Term::Constant(value) => Some(value),
            Term::Slot(slot) => Some(self.slot(*slot)),
            Term::Reference(reference) => Some(self.look(reference)?),
            _ => None,
        })
    }

    /// Has all ready that a term which only has to be looked up begins with.
    fn prepare(&mut self, term: &'p Term) -> Result<(), Stop> {
        match term {
            Term::Reference(reference) => self.know(reference.base),
            _ => Ok(()),
        }
    }

    fn array(&mut self, terms: &'p [Term]) -> Result<Value, Stop> {
        let mut items = Vec::with_capacity(terms.len());
        for term in terms {
            let item = self.value(term)?;
            if item == Value::Undefined {
                return Ok(Value::Undefined);
            }
            items.push(item);
        }
        self.made(items.len())?;
        self.built(Value::from(items))
    }

    fn set_of(&mut self, terms: &'p [Term]) -> Result<Value, Stop> {
        let mut items = BTreeSet::new();
        for term in terms {
            let item = self.value(term)?;
            if item == Value::Undefined {
                return Ok(Value::Undefined);
            }
            items.insert(item);
        }
        self.made(items.len())?;
        self.built(Value::from(items))
    }

    fn object(&mut self, terms: &'p [(Term, Term)]) -> Result<Value, Stop> {
        let mut fields = BTreeMap::new();
        for (key, value) in terms {
            let (key, value) = (self.value(key)?, self.value(value)?);
            if key == Value::Undefined || value == Value::Undefined {
                return Ok(Value::Undefined);
            }
            fields.insert(key, value);
        }
        self.made(2 * fields.len())?;
        self.built(Value::from(fields))
    }

    fn comprehension(&mut self, comprehension: &'p Comprehension) -> Result<Value, Stop> {
        let Comprehension { kind, steps, key, value } = comprehension;
        let (mut list, mut set, mut fields) = (vec![], BTreeSet::new(), BTreeMap::new());
        self.steps(steps, &mut |run| {
            let item = run.value(value)?;
            if item == Value::Undefined {
                return Ok(Flow::More);
            }
            run.made(1)?;
            match (kind, key) {
                (Collection::Array, _) => list.push(item),
                (Collection::Set, _) => drop(set.insert(item)),
                (Collection::Object, Some(key)) => {
                    let key = run.value(key)?;
                    let is_other = fields.get(&key).is_some_and(|known| *known != item);
                    // A key with two values is the policy's error, in the engine's words.
                    if is_other {
                        return Err(Stop::Unsure);
                    }
                    if key != Value::Undefined {
                        fields.insert(key, item);
                    }
                }
                (Collection::Object, None) => return Err(Stop::Unsure),
            }
            Ok(Flow::More)
        })?;
        self.built(match kind {
            Collection::Array => Value::from(list),
            Collection::Set => Value::from(set),
            Collection::Object => Value::from(fields),
        })
    }

    fn call(&mut self, rule: usize, arguments: &'p [Term]) -> Result<Value, Stop> {
        self.tick()?;
        let frame = self.memory.stack.len();
        for argument in arguments {
            let value = self.value(argument)?;
            if value == Value::Undefined {
                self.memory.stack.truncate(frame);
                return Ok(Value::Undefined);
            }
            self.memory.stack.push(value);
        }
        self.function(rule, frame)
    }

    fn builtin(&mut self, builtin: Builtin, terms: &'p [Term]) -> Result<Value, Stop> {
        self.tick()?;
        let frame = self.memory.stack.len();
        for term in terms {
            let value = self.value(term)?;
            if value == Value::Undefined {
                self.memory.stack.truncate(frame);
                return Ok(Value::Undefined);
            }
            self.memory.stack.push(value);
        }
        let arguments = &self.memory.stack[frame..];
        let value = match builtin {
            Builtin::Own(own) => answer_of(own, arguments).map_err(|_| Stop::Unsure),
            Builtin::Native(call) => NOWHERE.with(|(span, expressions)| {
                let expressions = expressions.get(..arguments.len()).ok_or(Stop::Unsure)?;
                // Its errors are undefined to the interpreter, too.
                Ok(call(span, expressions, arguments, false).unwrap_or(Value::Undefined))
            }),
        };
        self.memory.stack.truncate(frame);
        value
    }

    /// Whether a comparison holds, if both sides are defined.
    fn compare(&mut self, op: &BoolOp, lhs: &'p Term, rhs: &'p Term) -> Result<Option<bool>, Stop> {
        self.prepare(lhs)?;
        self.prepare(rhs)?;
        if let (Some(lhs), Some(rhs)) = (self.seen(lhs)?, self.seen(rhs)?) {
            return Ok(compared(op, lhs, rhs));
        }
        let (lhs, rhs) = (self.value(lhs)?, self.value(rhs)?);
        Ok(compared(op, &lhs, &rhs))
    }

    fn arithmetic(&mut self, op: &ArithOp, lhs: &'p Term, rhs: &'p Term) -> Result<Value, Stop> {
        let (lhs, rhs) = (self.value(lhs)?, self.value(rhs)?);
        if lhs == Value::Undefined || rhs == Value::Undefined {
            return Ok(Value::Undefined);
        }
        if let (ArithOp::Sub, Value::Set(lhs), Value::Set(rhs)) = (op, &lhs, &rhs) {
            let left = lhs.difference(rhs);
            self.made(left.len())?;
            return Ok(left.into_value());
        }
        NOWHERE.with(|(span, expressions)| {
            numbers::arithmetic_operation(span, op, &expressions[0], &expressions[1], lhs, rhs, false)
                .map_err(|_| Stop::Unsure)
        })
    }

    fn sets(&mut self, op: &BinOp, lhs: &'p Term, rhs: &'p Term) -> Result<Value, Stop> {
        let (lhs, rhs) = (self.value(lhs)?, self.value(rhs)?);
        if lhs == Value::Undefined || rhs == Value::Undefined {
            return Ok(Value::Undefined);
        }
        let (Value::Set(lhs), Value::Set(rhs)) = (&lhs, &rhs) else { return Err(Stop::Unsure) };
        let both = match op {
            BinOp::Union => lhs.union(rhs),
            BinOp::Intersection => lhs.intersection(rhs),
        };
        self.made(both.len())?;
        Ok(both.into_value())
    }

    /// As the engine looks: what is undefined is in nothing, and in what holds nothing there is nothing.
    fn member(&mut self, member: &'p Member) -> Result<Value, Stop> {
        let (value, collection) = (self.value(&member.value)?, self.value(&member.collection)?);
        let key = member.key.as_ref().map(|key| self.value(key)).transpose()?;
        Ok(Value::from(match (&collection, key) {
            (Value::Array(_) | Value::Object(_), Some(key)) => collection[&key] == value,
            (Value::Array(items), None) => items.contains(&value),
            (Value::Object(fields), None) => fields.values().any(|field| *field == value),
            (Value::Set(items), None) => items.contains(&value),
            _ => false,
        }))
    }
}

fn compared(op: &BoolOp, lhs: &Value, rhs: &Value) -> Option<bool> {
    if *lhs == Value::Undefined || *rhs == Value::Undefined {
        return None;
    }
    Some(match op {
        BoolOp::Eq => lhs == rhs,
        BoolOp::Ne => lhs != rhs,
        BoolOp::Lt => lhs < rhs,
        BoolOp::Le => lhs <= rhs,
        BoolOp::Gt => lhs > rhs,
        BoolOp::Ge => lhs >= rhs,
    })
}
