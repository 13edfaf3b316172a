//! A quicker way to a rule's value than the interpreter, kept only as long as both agree: at load on samples, then on
//! the first reviews, then on one of many. What it cannot say, the interpreter says.

mod samples;

use super::plan::{Machine, Said};
use super::{Engine, Value};
use std::time::Duration;

/// How many of the first values are held against the interpreter's.
const FIRST: u32 = 16;
/// After that, one of this many: with a dozen policies that judge a review, fewer than one review of a hundred waits for the
/// interpreter.
const ONE_OF: u32 = 2_048;
/// How often in a row it may not know, before it is not asked any more.
const MOST_UNSURE: u32 = 16;
/// The longest that a sample may take.
const PER_SAMPLE: Duration = Duration::from_millis(50);

pub(super) struct Quick {
    machine: Machine,
    asked: u32,
    /// When its turn to be held against the interpreter comes: policies that are asked together have turns apart, so
    /// that no review waits for the interpreter's word on all of them.
    turn: u32,
    /// How often in a row it did not know.
    unsure: u32,
}

impl Quick {
    /// A machine that agrees with the engine on all samples.
    pub(super) fn build(engine: &mut Engine, package: &str, rules: &[&str]) -> Option<Self> {
        let known = engine.rules_of_first_source();
        let rules = rules.iter().filter(|rule| known.contains(**rule));
        let rules: Vec<String> = rules.map(|rule| format!("{package}.{rule}")).collect();
        let machine = Machine::build(engine.sources.iter(), &rules)?;
        let mut quick = Self { machine, asked: 0, turn: turn(package), unsure: 0 };
        quick.agrees(engine, &rules).then_some(quick)
    }

    fn agrees(&mut self, engine: &mut Engine, rules: &[String]) -> bool {
        samples::inputs().into_iter().all(|input| {
            engine.set_input(input.clone());
            self.set_input(input);
            rules.iter().all(|rule| match self.eval(rule, PER_SAMPLE) {
                Said::Value(quick) => engine.interpret(rule, PER_SAMPLE) == Ok(quick),
                Said::Unsure | Said::OutOfTime | Said::Refused(_) => true,
            })
        })
    }

    pub(super) fn set_input(&mut self, input: Value) {
        self.machine.set_input(input);
    }

    /// Whether it can have this data.
    pub(super) fn set_data(&mut self, data: Value) -> bool {
        self.machine.set_data(data)
    }

    /// The rule's value, if it is sure.
    pub(super) fn eval(&mut self, rule: &str, limit: Duration) -> Said {
        let said = self.machine.eval(rule, limit);
        self.unsure = if matches!(said, Said::Unsure) { self.unsure + 1 } else { 0 };
        said
    }

    /// Whether it is asked in vain.
    pub(super) fn is_useless(&self) -> bool {
        self.unsure >= MOST_UNSURE
    }

    /// Whether the value that was found last is to be held against the interpreter's.
    pub(super) fn is_due(&mut self) -> bool {
        self.asked = self.asked.wrapping_add(1);
        self.asked <= FIRST || self.asked % ONE_OF == self.turn
    }
}

fn turn(package: &str) -> u32 {
    package.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % ONE_OF
}

#[cfg(test)]
mod tests;
