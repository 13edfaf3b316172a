//! From modules to a plan: the entries, and every rule that they reach.

use super::names::{Declared, Names, Path};
use super::scope::Scope;
use super::{Body, Definition, Fit, Kind, Pattern, Plan, Rule, Step, Term, Unfit};
use crate::engine::Value;
use crate::engine::load::LoadedSource;
use regorus::unstable::{Expr, Ref, RuleAssign, RuleBody, RuleHead};
use std::collections::BTreeMap;

/// Plans the rules that are reached.
pub(super) struct Planner<'s> {
    pub(super) names: Names<'s>,
    /// Paths below `input` that references begin with.
    pub(super) inputs: Vec<Vec<Value>>,
    /// The positions of the rules that are planned or wait for it, with what they are.
    known: BTreeMap<Path, (usize, Kind)>,
    waiting: Vec<Path>,
}

/// Plans one definition.
pub(super) struct Planning<'p, 's> {
    pub(super) planner: &'p mut Planner<'s>,
    pub(super) module: usize,
    pub(super) scope: Scope,
}

/// A plan for these rules (`data.writ.policy_pdb.deny`), if all that they reach is fit.
pub(super) fn plan(sources: &[&LoadedSource], entries: &[String]) -> Option<Plan> {
    let names = Names::of(sources)?;
    let packages = names.modules.iter().map(|module| module.package.clone()).collect();
    let mut planner = Planner { names, inputs: vec![], known: BTreeMap::new(), waiting: vec![] };
    let mut positions = BTreeMap::new();
    for entry in entries {
        let path: Path = entry.strip_prefix("data.")?.split('.').map(str::to_owned).collect();
        let (position, kind) = planner.rule(&path).ok()?;
        if kind == Kind::Function {
            return None;
        }
        positions.insert(entry.clone(), position);
    }
    let mut rules = vec![];
    // Rules that are reached on the way are appended to those that wait.
    while let Some(path) = planner.waiting.get(rules.len()).cloned() {
        rules.push(planner.plan_rule(&path).ok()?);
    }
    super::pure::mark(&mut rules);
    Some(Plan { rules, entries: positions, inputs: planner.inputs, packages })
}

impl<'s> Planner<'s> {
    /// The position of a rule and what it is.
    pub(super) fn rule(&mut self, path: &[String]) -> Fit<(usize, Kind)> {
        if let Some(known) = self.known.get(path) {
            return Ok(*known);
        }
        let kind = kind(self.names.rules.get(path).ok_or(Unfit::Never)?)?;
        let known = (self.waiting.len(), kind);
        self.known.insert(path.to_vec(), known);
        self.waiting.push(path.to_vec());
        Ok(known)
    }

    fn plan_rule(&mut self, path: &[String]) -> Fit<Rule> {
        let declared = self.names.rules.get(path).ok_or(Unfit::Never)?;
        let kind = kind(declared)?;
        let definitions = declared.definitions.clone();
        let mut rule = Rule { kind, default: None, definitions: vec![], slots: 0, constant: false, pure: false };
        for (module, definition) in definitions {
            match definition {
                regorus::unstable::Rule::Default { args, value, .. } if args.is_empty() && rule.default.is_none() => {
                    rule.default = Some(self.constant(module, value)?);
                }
                regorus::unstable::Rule::Default { .. } => return Err(Unfit::Never),
                regorus::unstable::Rule::Spec { head, bodies, .. } => {
                    let arguments = match head {
                        RuleHead::Func { args, .. } => &args[..],
                        _ => &[],
                    };
                    let scope = Scope::new(arguments.len());
                    let mut planning = Planning { planner: self, module, scope };
                    rule.definitions.push(planning.definition(
                        head,
                        super::names::key(definition),
                        arguments,
                        bodies,
                    )?);
                    rule.slots = rule.slots.max(planning.scope.slots());
                }
            }
        }
        rule.constant = is_constant(&rule.definitions);
        Ok(rule)
    }

    fn constant(&mut self, module: usize, value: &Expr) -> Fit<Value> {
        let mut planning = Planning { planner: self, module, scope: Scope::new(0) };
        match planning.term(value, &mut vec![])? {
            Term::Constant(value) => Ok(value),
            _ => Err(Unfit::Never),
        }
    }
}

/// What kind of rule all definitions make it.
fn kind(declared: &Declared<'_>) -> Fit<Kind> {
    let of = |rule: &regorus::unstable::Rule| match rule {
        regorus::unstable::Rule::Default { .. } => None,
        regorus::unstable::Rule::Spec { head, .. } => Some(match head {
            // Without arguments it is a rule.
            RuleHead::Func { args, .. } if args.is_empty() => Kind::Value,
            RuleHead::Func { .. } => Kind::Function,
            RuleHead::Set { .. } => Kind::Set,
            RuleHead::Compr { .. } if super::names::key(rule).is_some() => Kind::Object,
            RuleHead::Compr { .. } => Kind::Value,
        }),
    };
    let mut kinds = declared.definitions.iter().filter_map(|(_, rule)| of(rule));
    let first = kinds.next().unwrap_or(Kind::Value);
    let has_default = declared.definitions.iter().any(|(_, rule)| of(rule).is_none());
    let is_fit = !declared.is_odd && kinds.all(|kind| kind == first) && (first == Kind::Value || !has_default);
    if is_fit { Ok(first) } else { Err(Unfit::Never) }
}

/// Whether every body has the same constant for its value.
fn is_constant(definitions: &[Definition]) -> bool {
    let mut values = definitions.iter().flat_map(|definition| &definition.bodies).map(|body| match &body.value {
        Term::Constant(value) => Some(value),
        _ => None,
    });
    let first = values.next().flatten();
    first.is_some() && values.all(|value| value == first)
}

impl Planning<'_, '_> {
    fn definition(
        &mut self,
        head: &RuleHead,
        key: Option<&Ref<Expr>>,
        arguments: &[Ref<Expr>],
        bodies: &[RuleBody],
    ) -> Fit<Definition> {
        let (is_set, value) = match head {
            RuleHead::Set { key, .. } => (true, Some(key.as_ref().ok_or(Unfit::Never)?)),
            RuleHead::Func { assign, .. } | RuleHead::Compr { assign, .. } => {
                (false, assign.as_ref().map(|assign| &assign.value))
            }
        };
        let is_chained = bodies.iter().skip(1).any(|body| !body.is_else);
        if is_chained || ((is_set || key.is_some()) && bodies.len() > 1) {
            return Err(Unfit::Never);
        }
        let mut planned = Definition { arguments: self.arguments(arguments)?, bodies: vec![] };
        if bodies.is_empty() {
            planned.bodies.push(self.body(None, key, value)?);
            return Ok(planned);
        }
        let otherwise = |assign: &Option<RuleAssign>| assign.as_ref().map(|assign| assign.value.clone());
        for (at, body) in bodies.iter().enumerate() {
            let own = otherwise(&body.assign);
            let value = if at == 0 { value } else { own.as_ref() };
            planned.bodies.push(self.body(Some(body), key, value)?);
        }
        Ok(planned)
    }

    /// Patterns for the arguments, whose names are in the slots where the caller puts them.
    fn arguments(&mut self, arguments: &[Ref<Expr>]) -> Fit<Vec<Pattern>> {
        let mut patterns = vec![];
        for (slot, argument) in arguments.iter().enumerate() {
            patterns.push(match argument.as_ref() {
                Expr::Var { span, .. } if span.text() == "_" => Pattern::Any,
                Expr::Var { span, .. } => {
                    self.scope.name_argument(span.text(), slot)?;
                    Pattern::Any
                }
                other => {
                    let mut steps = vec![];
                    let pattern = self.argument_pattern(other, &mut steps)?;
                    if !steps.is_empty() {
                        return Err(Unfit::Never);
                    }
                    pattern
                }
            });
        }
        Ok(patterns)
    }

    /// An argument that is taken apart; its names belong to the arguments.
    fn argument_pattern(&mut self, argument: &Expr, steps: &mut Vec<Step>) -> Fit<Pattern> {
        match argument {
            Expr::Array { .. } | Expr::Object { .. } => self.pattern(argument, steps),
            other => match self.term(other, steps)? {
                Term::Constant(value) => Ok(Pattern::Equals(Term::Constant(value))),
                _ => Err(Unfit::Never),
            },
        }
    }

    fn body(&mut self, body: Option<&RuleBody>, key: Option<&Ref<Expr>>, value: Option<&Ref<Expr>>) -> Fit<Body> {
        let results: Vec<&Expr> = key.iter().chain(&value).map(|result| result.as_ref()).collect();
        self.scope.enter(body.map(|body| body.query.as_ref()), &results, &[])?;
        let mut steps = vec![];
        if let Some(body) = body {
            self.query(&body.query, &mut steps)?;
        }
        let key = key.map(|key| self.term(key, &mut steps)).transpose()?;
        let value = match value {
            Some(value) => self.term(value, &mut steps)?,
            None => Term::Constant(Value::from(true)),
        };
        self.scope.leave();
        Ok(Body { steps, key, value })
    }
}
