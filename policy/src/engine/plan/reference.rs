//! References: where they begin, which parts are fixed, and the loops that their open parts are.

use super::compile::Planning;
use super::names::Target;
use super::term::Meaning;
use super::{Base, Fit, Key, Pattern, Reference, Scan, Step, Term, Unfit};
use crate::engine::Value;
use regorus::unstable::Expr;

/// A part of a reference after its beginning.
enum Link<'e> {
    Field(&'e Value),
    Index(&'e Expr),
}

impl Link<'_> {
    /// The text, where the part is a fixed one.
    fn text(&self) -> Option<&str> {
        match self {
            Link::Field(Value::String(text)) => Some(text),
            Link::Index(Expr::String { value: Value::String(text), .. }) => Some(text),
            _ => None,
        }
    }
}

impl Planning<'_, '_> {
    pub(super) fn reference(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Fit<Term> {
        let (root, links) = taken_apart(expr);
        let (mut base, mut path, used) = self.beginning(root, &links, steps)?;
        for link in &links[used..] {
            let index = match link {
                Link::Field(field) => {
                    path.push(Key::Constant((*field).clone()));
                    continue;
                }
                Link::Index(index) => *index,
            };
            if self.is_open(index) {
                let item = self.scope.slot();
                let over = term(base, std::mem::take(&mut path));
                let key = self.pattern(index, steps)?;
                steps.push(Step::Scan(Scan { over, key, value: Pattern::Bind(item), strict: false }));
                base = Base::Slot(item);
            } else {
                path.push(self.key(index, steps)?);
            }
        }
        Ok(term(base, path))
    }

    fn key(&mut self, index: &Expr, steps: &mut Vec<Step>) -> Fit<Key> {
        Ok(match self.term(index, steps)? {
            Term::Constant(value) => Key::Constant(value),
            Term::Slot(slot) => Key::Slot(slot),
            term => Key::Slot(self.kept(term, steps)),
        })
    }

    /// The slot of a term's value, which is there before what comes next.
    fn kept(&mut self, term: Term, steps: &mut Vec<Step>) -> usize {
        let slot = self.scope.slot();
        steps.push(Step::Bind(slot, term));
        slot
    }

    /// Where a reference begins, what is fixed in it from there, and how many links that takes.
    fn beginning(&mut self, root: &Expr, links: &[Link<'_>], steps: &mut Vec<Step>) -> Fit<(Base, Vec<Key>, usize)> {
        let Expr::Var { span, .. } = root else {
            return match self.term(root, steps)? {
                Term::Slot(slot) => Ok((Base::Slot(slot), vec![], 0)),
                term => Ok((Base::Slot(self.kept(term, steps)), vec![], 0)),
            };
        };
        match self.meaning(span.text()) {
            Meaning::Slot(slot) => Ok((Base::Slot(slot), vec![], 0)),
            Meaning::Open if span.text() == "_" => Err(Unfit::Never),
            Meaning::Open => Err(Unfit::NotYet),
            Meaning::Rule(path) => Ok((Base::Rule(self.value_of(&path)?), vec![], 0)),
            Meaning::Path(path) => self.document(&path, links),
        }
    }

    /// What is fixed of a path below `input` is looked up once.
    fn input(&mut self, path: &[String]) -> Base {
        let path: Vec<Value> = path.iter().map(|part| Value::from(part.as_str())).collect();
        let inputs = &mut self.planner.inputs;
        let known = inputs.iter().position(|known| *known == path);
        Base::Input(known.unwrap_or_else(|| {
            inputs.push(path);
            inputs.len() - 1
        }))
    }

    fn document(&mut self, path: &[String], links: &[Link<'_>]) -> Fit<(Base, Vec<Key>, usize)> {
        let keys = |path: &[String]| path.iter().map(|part| Key::Constant(Value::from(part.as_str()))).collect();
        let (root, below) = path.split_first().ok_or(Unfit::Never)?;
        let fixed: Vec<String> = links.iter().map_while(Link::text).map(str::to_owned).collect();
        let full = [below, &fixed[..]].concat();
        if root == "input" {
            return Ok((self.input(&full), vec![], fixed.len()));
        }
        match self.planner.names.target(&full)? {
            // An import may name a part of a rule, which is left to the engine.
            Target::Rule(_, length) if length < below.len() => Err(Unfit::Never),
            Target::Rule(path, length) => Ok((Base::Rule(self.value_of(&path)?), vec![], length - below.len())),
            Target::Document => Ok((Base::Data, keys(below), 0)),
        }
    }
}

fn term(base: Base, path: Vec<Key>) -> Term {
    match base {
        Base::Slot(slot) if path.is_empty() => Term::Slot(slot),
        base => Term::Reference(Reference { base, path }),
    }
}

fn taken_apart(mut expr: &Expr) -> (&Expr, Vec<Link<'_>>) {
    let mut links = vec![];
    loop {
        match expr {
            Expr::RefDot { refr, field, .. } => {
                links.push(Link::Field(&field.1));
                expr = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                links.push(Link::Index(index));
                expr = refr;
            }
            root => {
                links.reverse();
                return (root, links);
            }
        }
    }
}
