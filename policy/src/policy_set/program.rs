//! An engine that one policy, or all constraints of one template, are evaluated with, and the data that it holds.

use super::Subject;
use super::world::World;
use crate::engine::{Engine, EvalError, Value};
use std::time::Duration;

/// Rules that compile, ready to be asked.
pub(crate) struct Program {
    engine: Engine,
    /// `data.writ.policy_pdb`.
    data_path: String,
    /// Whether a rule asks for the Namespace object (`namespaceObject`).
    wants_namespace: bool,
    /// Which replicated objects its rules ask for.
    wants_data: Wants,
    /// What the engine's `data` holds.
    holds: Option<Held>,
}

/// Which part of `data` a program reads beside its own modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wants {
    /// `data.kubernetes`.
    pub kubernetes: bool,
    /// `data.inventory`.
    pub inventory: bool,
}

/// Which objects `data` was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    version: u64,
    namespace: Option<std::sync::Arc<str>>,
}

impl Wants {
    /// Whether it reads replicated objects at all.
    pub(crate) fn any(self) -> bool {
        self.kubernetes || self.inventory
    }
}

impl Program {
    /// `engine` holds the modules; its rules are below `data_path`.
    pub(crate) fn new(engine: Engine, data_path: String, wants_namespace: bool, wants_data: Wants) -> Self {
        Self { engine, data_path, wants_namespace, wants_data, holds: None }
    }

    /// Makes the engine ready for many reviews.
    pub(super) fn interpret_only(&mut self) {
        self.engine.interpret_only();
    }

    /// Looks for a quicker way to the values of the rules that decide.
    pub(super) fn quicken(&mut self) {
        self.engine.quicken(&self.data_path, &["deny", "matches", "violation"]);
    }

    /// Whether a review's Namespace object must be looked up.
    pub(super) fn wants_namespace(&self) -> bool {
        self.wants_namespace || self.wants_data.kubernetes
    }

    /// Whether its rules look at replicated objects (`data.inventory`).
    pub(crate) fn wants_inventory(&self) -> bool {
        self.wants_data.inventory
    }

    /// Whether its rules look at replicated objects at all.
    pub(super) fn wants_others(&self) -> bool {
        self.wants_data.any()
    }

    /// Gives the engine the objects that its rules read, when it holds others.
    pub(super) fn replicate(&mut self, subject: &Subject<'_>, world: &mut World<'_>) -> Result<(), EvalError> {
        if !self.wants_data.any() {
            return Ok(());
        }
        let namespace = subject.namespace.filter(|_| self.wants_data.kubernetes);
        let wanted = Held { version: world.version(), namespace: namespace.map(|namespace| namespace.text.clone()) };
        if self.holds.as_ref() == Some(&wanted) {
            return Ok(());
        }
        self.holds = None;
        self.engine.set_data(world.data(self.wants_data, namespace))?;
        self.holds = Some(wanted);
        Ok(())
    }

    /// What the next rules are asked about.
    pub(super) fn set_input(&mut self, input: Value) {
        self.engine.set_input(input);
    }

    /// The value of one rule (`deny`) within the limit. After an error input and data are to be given anew.
    pub(super) fn eval(&mut self, rule: &str, limit: Duration) -> Result<Value, EvalError> {
        let value = self.engine.eval(&format!("{}.{rule}", self.data_path), limit);
        if value.is_err() {
            self.holds = None;
        }
        value
    }
}
