//! Statements in an order in which every variable has a value before it is needed, and the steps that they become.

use super::compile::Planning;
use super::{Every, Fit, Kind, Pattern, Scan, Step, Term, Unfit};
use crate::engine::Value;
use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref};

/// The arguments of a call, and the term for its result.
type Given<'e> = (&'e [Ref<Expr>], &'e Expr);

impl Planning<'_, '_> {
    /// The steps of a query. A statement that needs what has no value yet waits for those after it.
    pub(super) fn query(&mut self, query: &Query, steps: &mut Vec<Step>) -> Fit<()> {
        let mut waiting: Vec<&LiteralStmt> = query.stmts.iter().collect();
        let depth = self.scope.depth();
        while !waiting.is_empty() {
            let next = self.next_of(&waiting, depth, steps)?;
            waiting.remove(next);
        }
        Ok(())
    }

    /// Plans the first statement that may be planned now.
    fn next_of(&mut self, waiting: &[&LiteralStmt], depth: usize, steps: &mut Vec<Step>) -> Fit<usize> {
        for (at, statement) in waiting.iter().enumerate() {
            let (mark, mut added) = (self.scope.mark(), vec![]);
            match self.statement(statement, &mut added) {
                Ok(()) => {
                    steps.append(&mut added);
                    return Ok(at);
                }
                Err(Unfit::NotYet) => self.scope.restore(mark, depth),
                Err(Unfit::Never) => return Err(Unfit::Never),
            }
        }
        Err(Unfit::NotYet)
    }

    fn statement(&mut self, statement: &LiteralStmt, steps: &mut Vec<Step>) -> Fit<()> {
        if !statement.with_mods.is_empty() {
            return Err(Unfit::Never);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => Ok(()),
            Literal::SomeIn { key, value, collection, .. } => {
                let over = self.term(collection, steps)?;
                let key = key.as_ref().map_or(Ok(Pattern::Any), |key| self.pattern(key, steps))?;
                let value = self.pattern(value, steps)?;
                steps.push(Step::Scan(Scan { over, key, value, strict: true }));
                Ok(())
            }
            Literal::Expr { expr, .. } => self.condition(expr, steps),
            Literal::NotExpr { expr, .. } => {
                let mut within = vec![];
                let before = self.scope.freeze(true);
                self.condition(expr, &mut within)?;
                self.scope.freeze(before);
                steps.push(Step::Not(within));
                Ok(())
            }
            Literal::Every { key, value, domain, query, .. } => {
                let names: Vec<&str> = key.iter().chain([value]).map(|name| name.text()).collect();
                let over = self.term(domain, steps)?;
                self.scope.enter(Some(query), &[], &names)?;
                let key = key.as_ref().map(|key| self.item(key.text())).transpose()?;
                let value = self.item(value.text())?;
                let mut within = vec![];
                self.query(query, &mut within)?;
                self.scope.leave();
                steps.push(Step::Every(Every { over, key, value, steps: within }));
                Ok(())
            }
        }
    }

    fn item(&mut self, name: &str) -> Fit<usize> {
        if name == "_" { Ok(self.scope.slot()) } else { self.scope.bind(name) }
    }

    fn condition(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Fit<()> {
        match expr {
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => {
                let value = self.term(rhs, steps)?;
                let pattern = self.pattern(lhs, steps)?;
                steps.push(assigned(pattern, value, true)?);
            }
            Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => self.unify(lhs, rhs, steps)?,
            Expr::Call { fcn, params, .. } => match self.with_output(fcn, params)? {
                Some((given, output)) => self.call_with_output(fcn, given, output, steps)?,
                None => self.test(expr, steps)?,
            },
            _ => self.test(expr, steps)?,
        }
        Ok(())
    }

    fn test(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Fit<()> {
        match self.term(expr, steps)? {
            Term::Constant(value) if value != Value::from(false) => {}
            term => steps.push(Step::Test(term)),
        }
        Ok(())
    }

    /// One side may hold variables without a value; where both do, the engine decides.
    fn unify(&mut self, lhs: &Expr, rhs: &Expr, steps: &mut Vec<Step>) -> Fit<()> {
        let (pattern, value) = match (self.is_open(lhs), self.is_open(rhs)) {
            (true, true) => return Err(Unfit::NotYet),
            (false, true) => (rhs, lhs),
            (_, false) => (lhs, rhs),
        };
        let value = self.term(value, steps)?;
        let pattern = self.pattern(pattern, steps)?;
        steps.push(assigned(pattern, value, false)?);
        Ok(())
    }

    /// The arguments and the term for the result, where one more is given than the function takes.
    fn with_output<'e>(&mut self, fcn: &Expr, params: &'e [Ref<Expr>]) -> Fit<Option<Given<'e>>> {
        let Some((output, given)) = params.split_last() else { return Ok(None) };
        let is_output = self.arity(fcn)? == given.len();
        Ok(is_output.then(|| (given, output.as_ref())))
    }

    fn call_with_output(&mut self, fcn: &Expr, given: &[Ref<Expr>], output: &Expr, steps: &mut Vec<Step>) -> Fit<()> {
        // Nothing is given a value in a negation, and there the engine compares otherwise.
        self.scope.check_wildcard()?;
        let walks = fcn.span().text() == "walk";
        let call = self.call(fcn, given, steps)?;
        let value = self.pattern(output, steps)?;
        steps.push(match walks {
            true => Step::Scan(Scan { over: call, key: Pattern::Any, value, strict: true }),
            false => Step::Match(value, call),
        });
        Ok(())
    }

    /// Whether a term holds variables that get a value where it is a pattern.
    pub(super) fn is_open(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Var { span, .. } => span.text() == "_" || self.is_open_name(span.text()),
            Expr::Array { items, .. } => items.iter().any(|item| self.is_open(item)),
            Expr::Object { fields, .. } => fields.iter().any(|(_, _, value)| self.is_open(value)),
            _ => false,
        }
    }

    fn is_open_name(&self, name: &str) -> bool {
        matches!(self.meaning(name), super::term::Meaning::Open)
    }

    /// What a value is held against. Variables without a value get it.
    pub(super) fn pattern(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Fit<Pattern> {
        match expr {
            Expr::Var { span, .. } if span.text() == "_" => {
                self.scope.check_wildcard()?;
                Ok(Pattern::Any)
            }
            Expr::Var { span, .. } if self.is_open_name(span.text()) => {
                Ok(Pattern::Bind(self.scope.bind(span.text())?))
            }
            Expr::Array { items, .. } if self.is_open(expr) => {
                let items: Fit<Vec<Pattern>> = items.iter().map(|item| self.pattern(item, steps)).collect();
                Ok(Pattern::Array(items?))
            }
            Expr::Object { fields, .. } if self.is_open(expr) => {
                let fields: Fit<Vec<(Term, Pattern)>> = fields
                    .iter()
                    .map(|(_, key, value)| Ok((self.term(key, steps)?, self.pattern(value, steps)?)))
                    .collect();
                Ok(Pattern::Object(fields?))
            }
            other => Ok(Pattern::Equals(self.term(other, steps)?)),
        }
    }

    /// Whether a rule of this kind may stand where its value is asked for.
    pub(super) fn value_of(&mut self, path: &[String]) -> Fit<usize> {
        match self.planner.rule(path)? {
            (_, Kind::Function) => Err(Unfit::Never),
            (position, _) => Ok(position),
        }
    }
}

/// `:=` only ever gives values; `=` may compare.
fn assigned(pattern: Pattern, value: Term, declares: bool) -> Fit<Step> {
    match pattern {
        Pattern::Bind(slot) => Ok(Step::Bind(slot, value)),
        // It has a value already, which the engine would replace.
        Pattern::Equals(_) if declares => Err(Unfit::Never),
        pattern => Ok(Step::Match(pattern, value)),
    }
}
