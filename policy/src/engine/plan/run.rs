//! One evaluation of a plan. Slots of all frames are in one stack, and rules that have one value are asked once.

mod remember;
mod terms;

use super::{Body, Definition, Every, Kind, Pattern, Plan, Rule, Scan, Step, Term};
use crate::engine::Value;
use remember::Calls;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// How many steps there are between two looks at the clock.
const STEPS_PER_CHECK: u32 = 64;
/// The most steps of one evaluation, which no policy needs and no clock is asked about.
const MOST_STEPS: u64 = 50_000_000;

/// So many values that hold others may be built before each is looked through. Ten that hold the one before twice are a
/// thousand parts, forty are more than can ever be compared.
const UNWEIGHED: u32 = 4;

/// Why an evaluation ends without a value.
pub(super) enum Stop {
    /// The interpreter is to say.
    Unsure,
    OutOfTime,
    /// It is more than it may be, whoever evaluates it.
    Refused(String),
}

/// Whether more outcomes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    More,
    Enough,
}

/// What is kept between evaluations, so that none has to ask for memory anew.
#[derive(Default)]
pub(super) struct Memory {
    stack: Vec<Value>,
    rules: Vec<Option<Value>>,
    inputs: Vec<Option<Value>>,
    calls: Calls,
}

impl Memory {
    /// Lets go of all that belongs to one evaluation, however it ended.
    pub(super) fn end(&mut self) {
        self.stack.clear();
        self.rules.clear();
        self.inputs.clear();
        self.calls.end();
    }
}

pub(super) struct Run<'p> {
    pub(super) plan: &'p Plan,
    pub(super) input: &'p Value,
    pub(super) data: &'p Value,
    pub(super) memory: &'p mut Memory,
    pub(super) ends: Instant,
    pub(super) frame: usize,
    pub(super) steps: u64,
    pub(super) until_check: u32,
    pub(super) nested: u32,
}

/// What is done with each outcome.
type Found<'f, 'p> = &'f mut dyn FnMut(&mut Run<'p>) -> Result<Flow, Stop>;

impl<'p> Run<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        (input, data): (&'p Value, &'p Value),
        memory: &'p mut Memory,
        ends: Instant,
    ) -> Self {
        memory.rules.resize(plan.rules.len(), None);
        memory.inputs.resize(plan.inputs.len(), None);
        Self { plan, input, data, memory, ends, frame: 0, steps: 0, until_check: STEPS_PER_CHECK, nested: 0 }
    }

    /// The value of a rule that takes no arguments.
    pub(super) fn rule(&mut self, position: usize) -> Result<Value, Stop> {
        if let Some(known) = &self.memory.rules[position] {
            return Ok(known.clone());
        }
        let rule = &self.plan.rules[position];
        let frame = self.memory.stack.len();
        let value = match rule.kind {
            Kind::Set => self.framed(rule, frame, Self::members)?,
            Kind::Object => self.framed(rule, frame, Self::fields)?,
            Kind::Value | Kind::Function => match self.framed(rule, frame, Self::one_value)? {
                Value::Undefined => rule.default.clone().unwrap_or(Value::Undefined),
                value => value,
            },
        };
        self.memory.rules[position] = Some(value.clone());
        Ok(value)
    }

    /// The value of a function whose arguments are at the end of the stack, from `frame` on. It is the same for the same
    /// arguments, for nothing else changes during an evaluation.
    fn function(&mut self, position: usize, frame: usize) -> Result<Value, Stop> {
        let arguments = &self.memory.stack[frame..];
        let place = self.memory.calls.place(position, arguments);
        if let Some(known) = self.memory.calls.find(place, position, arguments) {
            let known = known.clone();
            self.memory.stack.truncate(frame);
            return Ok(known);
        }
        let (rule, arity) = (&self.plan.rules[position], arguments.len());
        self.memory.stack.resize(frame + rule.slots, Value::Undefined);
        let caller = std::mem::replace(&mut self.frame, frame);
        let value = self.one_value(rule);
        self.frame = caller;
        if let Ok(value) = &value {
            let Memory { stack, calls, .. } = &mut *self.memory;
            calls.remember(place, (position, rule.pure), &stack[frame..frame + arity], value);
        }
        self.memory.stack.truncate(frame);
        value
    }

    fn framed(
        &mut self,
        rule: &'p Rule,
        frame: usize,
        evaluate: fn(&mut Self, &'p Rule) -> Result<Value, Stop>,
    ) -> Result<Value, Stop> {
        self.memory.stack.resize(frame + rule.slots, Value::Undefined);
        let caller = std::mem::replace(&mut self.frame, frame);
        let value = evaluate(self, rule);
        self.frame = caller;
        self.memory.stack.truncate(frame);
        value
    }

    fn members(&mut self, rule: &'p Rule) -> Result<Value, Stop> {
        let mut members = BTreeSet::new();
        for body in rule.definitions.iter().flat_map(|definition| &definition.bodies) {
            self.steps(&body.steps, &mut |run| {
                let member = run.value(&body.value)?;
                if member != Value::Undefined && members.insert(member) {
                    run.made(1)?;
                }
                Ok(Flow::More)
            })?;
        }
        self.built(Value::from(members))
    }

    /// A key with two values is the policy's error, in the engine's words.
    fn fields(&mut self, rule: &'p Rule) -> Result<Value, Stop> {
        let mut fields = BTreeMap::new();
        for body in rule.definitions.iter().flat_map(|definition| &definition.bodies) {
            let Some(key) = &body.key else { return Err(Stop::Unsure) };
            self.steps(&body.steps, &mut |run| {
                let (key, value) = (run.value(key)?, run.value(&body.value)?);
                if key == Value::Undefined || value == Value::Undefined {
                    return Ok(Flow::More);
                }
                run.made(2)?;
                match fields.get(&key) {
                    Some(known) if *known != value => return Err(Stop::Unsure),
                    Some(_) => {}
                    None => drop(fields.insert(key, value)),
                }
                Ok(Flow::More)
            })?;
        }
        self.built(Value::from(fields))
    }

    /// All definitions that hold must say the same.
    fn one_value(&mut self, rule: &'p Rule) -> Result<Value, Stop> {
        let mut known = Value::Undefined;
        for definition in &rule.definitions {
            let value = self.definition(definition)?;
            if value == Value::Undefined {
                continue;
            }
            if rule.constant {
                return Ok(value);
            }
            if known != Value::Undefined && known != value {
                return Err(Stop::Unsure);
            }
            known = value;
        }
        Ok(known)
    }

    fn definition(&mut self, definition: &'p Definition) -> Result<Value, Stop> {
        for (slot, pattern) in definition.arguments.iter().enumerate() {
            if !matches!(pattern, Pattern::Any) {
                let argument = self.slot(slot).clone();
                if !self.is_like(pattern, &argument)? {
                    return Ok(Value::Undefined);
                }
            }
        }
        for body in &definition.bodies {
            let value = self.body(body)?;
            if value != Value::Undefined {
                return Ok(value);
            }
        }
        Ok(Value::Undefined)
    }

    fn body(&mut self, body: &'p Body) -> Result<Value, Stop> {
        let mut known = Value::Undefined;
        self.steps(&body.steps, &mut |run| {
            let value = run.value(&body.value)?;
            if known != Value::Undefined && value != Value::Undefined && known != value {
                return Err(Stop::Unsure);
            }
            if value != Value::Undefined {
                known = value;
            }
            Ok(if matches!(body.value, Term::Constant(_)) { Flow::Enough } else { Flow::More })
        })?;
        Ok(known)
    }

    /// Does the steps, and what is to be done each time that they come to their end.
    fn steps(&mut self, steps: &'p [Step], found: Found<'_, 'p>) -> Result<Flow, Stop> {
        for (at, step) in steps.iter().enumerate() {
            self.tick()?;
            let goes_on = match step {
                Step::Test(term) => self.holds(term)?,
                Step::Bind(slot, term) => {
                    let value = self.value(term)?;
                    let is_defined = value != Value::Undefined;
                    self.set(*slot, value);
                    is_defined
                }
                Step::Match(pattern, term) => {
                    let value = self.value(term)?;
                    value != Value::Undefined && self.is_like(pattern, &value)?
                }
                Step::Not(steps) => !self.ends_well(steps)?,
                Step::Every(every) => self.every(every)?,
                Step::Scan(scan) => return self.scan(scan, &steps[at + 1..], found),
            };
            if !goes_on {
                return Ok(Flow::More);
            }
        }
        found(self)
    }

    fn ends_well(&mut self, steps: &'p [Step]) -> Result<bool, Stop> {
        Ok(self.steps(steps, &mut |_| Ok(Flow::Enough))? == Flow::Enough)
    }

    fn every(&mut self, every: &'p Every) -> Result<bool, Stop> {
        let over = self.value(&every.over)?;
        let item = |run: &mut Self, key: &dyn Fn() -> Value, value: &Value| {
            if let Some(slot) = every.key {
                run.set(slot, key());
            }
            run.set(every.value, value.clone());
            run.ends_well(&every.steps)
        };
        match &over {
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    if !item(self, &|| Value::from(at), value)? {
                        return Ok(false);
                    }
                }
            }
            Value::Set(items) => {
                for value in items.iter() {
                    if !item(self, &|| value.clone(), value)? {
                        return Ok(false);
                    }
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields.iter_sorted() {
                    if !item(self, &|| key.clone(), value)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn scan(&mut self, scan: &'p Scan, rest: &'p [Step], found: Found<'_, 'p>) -> Result<Flow, Stop> {
        let over = self.value(&scan.over)?;
        match &over {
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    if !matches!(scan.key, Pattern::Any) && !self.is_like(&scan.key, &Value::from(at))? {
                        continue;
                    }
                    if self.is_like(&scan.value, value)? && self.steps(rest, found)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
            }
            Value::Set(items) => {
                for value in items.iter() {
                    if self.is_item(scan, value, value)? && self.steps(rest, found)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields.iter_sorted() {
                    if self.is_item(scan, key, value)? && self.steps(rest, found)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
            }
            Value::Undefined => {}
            _ if scan.strict => return Err(Stop::Unsure),
            _ => {}
        }
        Ok(Flow::More)
    }

    fn is_item(&mut self, scan: &'p Scan, key: &Value, value: &Value) -> Result<bool, Stop> {
        Ok(self.is_like(&scan.key, key)? && self.is_like(&scan.value, value)?)
    }

    /// Holds a value against a pattern, and gives its variables their values.
    fn is_like(&mut self, pattern: &'p Pattern, value: &Value) -> Result<bool, Stop> {
        match pattern {
            Pattern::Any => Ok(true),
            Pattern::Bind(slot) => {
                self.set(*slot, value.clone());
                Ok(true)
            }
            Pattern::Equals(term) => {
                let expected = self.value(term)?;
                Ok(expected != Value::Undefined && expected == *value)
            }
            Pattern::Array(patterns) => {
                let Value::Array(items) = value else { return Ok(false) };
                if items.len() != patterns.len() {
                    return Ok(false);
                }
                for (pattern, item) in patterns.iter().zip(items.iter()) {
                    if !self.is_like(pattern, item)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Pattern::Object(patterns) => {
                let Value::Object(fields) = value else { return Ok(false) };
                for (key, pattern) in patterns {
                    let key = self.value(key)?;
                    let Some(field) = fields.get(&key) else { return Ok(false) };
                    if !self.is_like(pattern, field)? {
                        return Ok(false);
                    }
                }
                // Rego wants as many fields, the engine at least so many.
                if fields.len() == patterns.len() { Ok(true) } else { Err(Stop::Unsure) }
            }
        }
    }

    fn slot(&self, slot: usize) -> &Value {
        &self.memory.stack[self.frame + slot]
    }

    fn set(&mut self, slot: usize, value: Value) {
        self.memory.stack[self.frame + slot] = value;
    }

    /// Counts one step.
    fn tick(&mut self) -> Result<(), Stop> {
        self.until_check -= 1;
        if self.until_check > 0 {
            return Ok(());
        }
        self.until_check = STEPS_PER_CHECK;
        self.steps += u64::from(STEPS_PER_CHECK);
        if self.steps > MOST_STEPS {
            return Err(Stop::Refused(format!("it took more than {} million steps", MOST_STEPS / 1_000_000)));
        }
        if Instant::now() > self.ends { Err(Stop::OutOfTime) } else { Ok(()) }
    }

    /// Looks through a value that was built of others: what shares its parts again and again is small to hold and takes
    /// for ever to compare.
    fn built(&mut self, value: Value) -> Result<Value, Stop> {
        let holds_others = match &value {
            Value::Array(items) => items.iter().any(is_container),
            Value::Set(items) => items.iter().any(is_container),
            Value::Object(fields) => fields.iter_sorted().any(|(key, value)| is_container(key) || is_container(value)),
            _ => false,
        };
        if holds_others {
            self.nested += 1;
            if self.nested > UNWEIGHED {
                crate::engine::builtins::count_parts(&value).map_err(Stop::Refused)?;
            }
        }
        Ok(value)
    }

    /// Counts items that a value is made of.
    fn made(&mut self, items: usize) -> Result<(), Stop> {
        crate::engine::builtins::count_made(items).map_err(Stop::Refused)
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Set(_) | Value::Object(_))
}
