//! Terms: what an expression's value is made of once the loops within it have been written before it.

use super::compile::Planning;
use super::{Builtin, Collection, Comprehension, Fit, Kind, Member, Step, Term, Unfit};
use crate::engine::Value;
use crate::engine::builtins::own;
use regorus::unstable::{BUILTINS, Expr, Query, Ref};
use std::collections::{BTreeMap, BTreeSet};

/// Calls that have no one value, or another one each time.
const UNFIT: [&str; 4] = ["print", "trace", "rand.intn", "uuid.rfc4122"];

/// What a name stands for at a place.
pub(super) enum Meaning {
    Slot(usize),
    /// A variable that has no value yet.
    Open,
    Rule(Vec<String>),
    /// A path with its root.
    Path(Vec<String>),
}

/// What is called.
enum Callee {
    Rule(usize, usize),
    Builtin(Builtin, usize),
}

impl Planning<'_, '_> {
    pub(super) fn meaning(&self, name: &str) -> Meaning {
        if let Some(slot) = self.scope.find(name) {
            return Meaning::Slot(slot);
        }
        if self.scope.is_declared(name) {
            return Meaning::Open;
        }
        let module = &self.planner.names.modules[self.module];
        let own = [&module.package[..], &[name.to_owned()]].concat();
        if self.planner.names.rules.contains_key(&own) {
            return Meaning::Rule(own);
        }
        match module.imports.get(name) {
            Some(path) => Meaning::Path(path.clone()),
            None if matches!(name, "input" | "data") => Meaning::Path(vec![name.to_owned()]),
            None => Meaning::Open,
        }
    }

    /// The value of an expression. Loops within it become steps before it.
    pub(super) fn term(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Fit<Term> {
        match expr {
            Expr::String { value, .. }
            | Expr::RawString { value, .. }
            | Expr::Number { value, .. }
            | Expr::Bool { value, .. }
            | Expr::Null { value, .. } => Ok(Term::Constant(value.clone())),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr, steps),
            Expr::Array { items, .. } => Ok(folded_array(self.terms(items, steps)?)),
            Expr::Set { items, .. } => Ok(folded_set(self.terms(items, steps)?)),
            Expr::Object { fields, .. } => {
                let fields: Fit<Vec<(Term, Term)>> = fields
                    .iter()
                    .map(|(_, key, value)| Ok((self.term(key, steps)?, self.term(value, steps)?)))
                    .collect();
                Ok(folded_object(fields?))
            }
            Expr::ArrayCompr { term, query, .. } => self.comprehension(Collection::Array, None, term, query),
            Expr::SetCompr { term, query, .. } => self.comprehension(Collection::Set, None, term, query),
            Expr::ObjectCompr { key, value, query, .. } => {
                self.comprehension(Collection::Object, Some(key), value, query)
            }
            Expr::Call { fcn, params, .. } => self.call(fcn, params, steps),
            Expr::BinExpr { op, lhs, rhs, .. } => Ok(Term::Sets(op.clone(), self.pair(lhs, rhs, steps)?)),
            Expr::BoolExpr { op, lhs, rhs, .. } => Ok(Term::Compare(op.clone(), self.pair(lhs, rhs, steps)?)),
            Expr::ArithExpr { op, lhs, rhs, .. } => Ok(Term::Arithmetic(op.clone(), self.pair(lhs, rhs, steps)?)),
            Expr::Membership { key, value, collection, .. } => {
                let key = key.as_ref().map(|key| self.term(key, steps)).transpose()?;
                let (value, collection) = (self.term(value, steps)?, self.term(collection, steps)?);
                Ok(Term::Member(Box::new(Member { key, value, collection })))
            }
            Expr::UnaryExpr { expr, .. } => match expr.as_ref() {
                Expr::Number { value, span, .. } if !span.text().starts_with('-') => {
                    let zero = Term::Constant(Value::from(0_u64));
                    let pair = Box::new((zero, Term::Constant(value.clone())));
                    Ok(Term::Arithmetic(regorus::unstable::ArithOp::Sub, pair))
                }
                _ => Err(Unfit::Never),
            },
            Expr::AssignExpr { .. } => Err(Unfit::Never),
        }
    }

    fn terms(&mut self, items: &[Ref<Expr>], steps: &mut Vec<Step>) -> Fit<Vec<Term>> {
        items.iter().map(|item| self.term(item, steps)).collect()
    }

    fn pair(&mut self, lhs: &Expr, rhs: &Expr, steps: &mut Vec<Step>) -> Fit<Box<(Term, Term)>> {
        Ok(Box::new((self.term(lhs, steps)?, self.term(rhs, steps)?)))
    }

    fn comprehension(&mut self, kind: Collection, key: Option<&Ref<Expr>>, value: &Expr, query: &Query) -> Fit<Term> {
        let results: Vec<&Expr> = key.iter().map(|key| key.as_ref()).chain([value]).collect();
        self.scope.enter(Some(query), &results, &[])?;
        let mut steps = vec![];
        self.query(query, &mut steps)?;
        let key = key.map(|key| self.term(key, &mut steps)).transpose()?;
        let value = self.term(value, &mut steps)?;
        self.scope.leave();
        Ok(Term::Comprehension(Box::new(Comprehension { kind, steps, key, value })))
    }

    /// How many arguments what is called takes.
    pub(super) fn arity(&mut self, fcn: &Expr) -> Fit<usize> {
        match self.callee(fcn)? {
            Callee::Rule(_, arity) | Callee::Builtin(_, arity) => Ok(arity),
        }
    }

    pub(super) fn call(&mut self, fcn: &Expr, params: &[Ref<Expr>], steps: &mut Vec<Step>) -> Fit<Term> {
        let callee = self.callee(fcn)?;
        let arguments = self.terms(params, steps)?;
        match callee {
            Callee::Rule(rule, arity) if arity == arguments.len() => Ok(Term::Call(rule, arguments)),
            Callee::Builtin(builtin, arity) if arity == arguments.len() => Ok(Term::Builtin(builtin, arguments)),
            _ => Err(Unfit::Never),
        }
    }

    fn callee(&mut self, fcn: &Expr) -> Fit<Callee> {
        let mut path = super::names::fixed(fcn).ok_or(Unfit::Never)?;
        let module = &self.planner.names.modules[self.module];
        if let Some(import) = module.imports.get(&path[0]) {
            path.splice(..1, import.iter().cloned());
        }
        let full = match path.first().map(String::as_str) {
            Some("data") => path[1..].to_vec(),
            _ => [&module.package[..], &path[..]].concat(),
        };
        if let Some(declared) = self.planner.names.rules.get(&full) {
            let arity = declared.arity().ok_or(Unfit::Never)?;
            let (position, kind) = self.planner.rule(&full)?;
            return if kind == Kind::Function { Ok(Callee::Rule(position, arity)) } else { Err(Unfit::Never) };
        }
        let name = path.join(".");
        if self.scope.find(&path[0]).is_some() || UNFIT.contains(&name.as_str()) {
            return Err(Unfit::Never);
        }
        if let Some(own) = own().iter().find(|own| own.name == name) {
            return Ok(Callee::Builtin(Builtin::Own(own), own.arity().into()));
        }
        let (native, arity) = BUILTINS.get(name.as_str()).ok_or(Unfit::Never)?;
        Ok(Callee::Builtin(Builtin::Native(*native), (*arity).into()))
    }
}

fn constant(term: &Term) -> Option<&Value> {
    match term {
        Term::Constant(value) => Some(value),
        _ => None,
    }
}

fn folded_array(terms: Vec<Term>) -> Term {
    let values: Option<Vec<Value>> = terms.iter().map(|term| constant(term).cloned()).collect();
    values.map_or(Term::Array(terms), |values| Term::Constant(Value::from(values)))
}

fn folded_set(terms: Vec<Term>) -> Term {
    let values: Option<BTreeSet<Value>> = terms.iter().map(|term| constant(term).cloned()).collect();
    values.map_or(Term::Set(terms), |values| Term::Constant(Value::from(values)))
}

fn folded_object(fields: Vec<(Term, Term)>) -> Term {
    let both = |(key, value): &(Term, Term)| Some((constant(key)?.clone(), constant(value)?.clone()));
    let values: Option<BTreeMap<Value, Value>> = fields.iter().map(both).collect();
    values.map_or(Term::Object(fields), |values| Term::Constant(Value::from(values)))
}
