//! What one policy, or all constraints of one template, are evaluated with: an engine for Rego and the data that it holds,
//! or expressions in CEL.

use super::Subject;
use super::world::World;
use crate::cel::Policy;
use crate::engine::{Engine, EvalError, Value};
use std::time::Duration;

/// Code that compiles, ready to be asked.
pub(crate) enum Program {
    Rego(Box<Rules>),
    Cel(Policy),
}

/// Rules in Rego.
pub(crate) struct Rules {
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
    pub(crate) fn rego(engine: Engine, data_path: String, wants_namespace: bool, wants_data: Wants) -> Self {
        Self::Rego(Box::new(Rules::new(engine, data_path, wants_namespace, wants_data)))
    }

    /// The rules, of what is in Rego.
    pub(super) fn rules(&mut self) -> Option<&mut Rules> {
        if let Self::Rego(rules) = self { Some(rules) } else { None }
    }

    /// Whether the interpreter alone decides: there is no plan of the rules, or it once said something else.
    pub(super) fn is_interpreted(&self) -> bool {
        matches!(self, Self::Rego(rules) if !rules.engine.is_quick())
    }

    /// Has the interpreter decide alone.
    pub(super) fn interpret_only(&mut self) {
        self.rules().into_iter().for_each(|rules| rules.engine.interpret_only());
    }

    /// Looks for a quicker way to the values of the rules that decide.
    pub(super) fn quicken(&mut self) {
        self.rules().into_iter().for_each(Rules::quicken);
    }

    /// Whether a review's Namespace object must be looked up.
    pub(super) fn wants_namespace(&self) -> bool {
        match self {
            Self::Rego(rules) => rules.wants_namespace || rules.wants_data.kubernetes,
            Self::Cel(policy) => policy.wants_namespace(),
        }
    }

    /// Whether its rules look at replicated objects (`data.inventory`).
    pub(crate) fn wants_inventory(&self) -> bool {
        matches!(self, Self::Rego(rules) if rules.wants_data.inventory)
    }

    /// Whether its rules look at replicated objects at all.
    pub(super) fn wants_others(&self) -> bool {
        matches!(self, Self::Rego(rules) if rules.wants_data.any())
    }
}

impl Rules {
    fn new(engine: Engine, data_path: String, wants_namespace: bool, wants_data: Wants) -> Self {
        Self { engine, data_path, wants_namespace, wants_data, holds: None }
    }

    fn quicken(&mut self) {
        self.engine.quicken(&self.data_path, &["deny", "matches", "violation"]);
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
