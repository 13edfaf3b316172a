//! What a rule holds that the machine reads otherwise: some of it is mended, the rest makes the rule unfit. The list is
//! of what is known to be alike; whatever is not on it is the interpreter's.

use super::packages::Packages;
use super::{AGREE, Change};
use crate::engine::load::walk::{self, Visitor};
use regorus::unstable::{
    ArithOp, AssignOp, Expr, Literal, LiteralStmt, Query, Rule, RuleAssign, RuleBody, RuleHead, Span,
};
use std::collections::BTreeSet;

/// Calls that the machine does not make as the interpreter does.
const UNFIT: [&str; 5] = ["print", "walk", "trace", "rand.intn", AGREE];

pub(super) struct Look<'p> {
    packages: &'p Packages<'p>,
    fit: bool,
    /// Whether the rule has one value, which is not the same whatever its body finds.
    one_value: bool,
    has_else: bool,
    comprehends: bool,
    /// Bodies and comprehensions that are open.
    depth: usize,
    /// Whether a body of the rule may hold more than once.
    repeats: bool,
    /// What has a value before a reference by it, which is then no search.
    assigned: BTreeSet<String>,
    searched: BTreeSet<String>,
    /// Names by which a comprehension must search, or it has no loop of its own.
    must_search: BTreeSet<String>,
    changes: Vec<Change>,
    /// Closing braces, which come after all else.
    braces: Vec<Change>,
}

impl<'p> Look<'p> {
    /// The rule with all within it.
    pub(super) fn at(rule: &Rule, packages: &'p Packages<'p>) -> Self {
        let mut look = Self {
            packages,
            fit: true,
            one_value: false,
            has_else: false,
            comprehends: false,
            depth: 0,
            repeats: false,
            assigned: BTreeSet::new(),
            searched: BTreeSet::new(),
            must_search: BTreeSet::new(),
            changes: vec![],
            braces: vec![],
        };
        look.head(rule);
        walk::rule(rule, &mut look);
        look
    }

    /// What mends the rule, if that is possible.
    pub(super) fn changes(mut self) -> Option<Vec<Change>> {
        self.changes.append(&mut self.braces);
        let repeats = self.repeats();
        // The machine keeps the last of several values, where Rego has a conflict.
        let conflicts = self.one_value && repeats;
        // It does not come to `else` after a loop that found nothing.
        let lost = self.has_else && self.has_loops();
        let searches = self.must_search.is_disjoint(&self.assigned);
        (self.fit && searches && !conflicts && !lost).then_some(self.changes)
    }

    /// Whether a loop is in it, of its own or of a comprehension.
    pub(super) fn has_loops(&self) -> bool {
        self.repeats() || self.comprehends
    }

    fn repeats(&self) -> bool {
        self.repeats || self.searched.iter().any(|name| !self.assigned.contains(name))
    }

    fn head(&mut self, rule: &Rule) {
        match rule {
            Rule::Default { args, .. } => self.fit &= args.is_empty(),
            Rule::Spec { head, bodies, .. } => {
                self.has_else = bodies.len() > 1;
                match head {
                    RuleHead::Set { refr, key, .. } => self.set(refr, key.is_some()),
                    RuleHead::Func { refr, args, assign, .. } => {
                        args.iter().for_each(|arg| self.argument(arg));
                        self.value(refr, assign.as_ref(), bodies);
                    }
                    RuleHead::Compr { refr, assign, .. } => self.value(refr, assign.as_ref(), bodies),
                }
                bodies.iter().for_each(|body| self.braces(body));
            }
        }
    }

    fn set(&mut self, name: &Expr, has_key: bool) {
        self.fit &= matches!(name, Expr::Var { .. }) && has_key && !self.has_else;
    }

    fn value(&mut self, name: &Expr, assign: Option<&RuleAssign>, bodies: &[RuleBody]) {
        let others = bodies.iter().skip(1).all(|body| body.assign.is_none());
        self.one_value = !(others && assign.is_none_or(|assign| is_constant(&assign.value)));
        self.fit &= matches!(name, Expr::Var { .. });
        // A value that is not there leads to `else` in Rego.
        let is_there = |value: &Expr| is_constant(value) || matches!(value, Expr::Var { .. });
        let values = assign.into_iter().chain(bodies.iter().filter_map(|body| body.assign.as_ref()));
        self.fit &= !self.has_else || values.into_iter().all(|assign| is_there(&assign.value));
    }

    fn argument(&mut self, arg: &Expr) {
        match arg {
            Expr::Var { span, .. } => {
                self.bind(span);
                self.fit &= span.text() == "_" || self.assigned.insert(span.text().to_owned());
            }
            arg => self.fit &= is_constant(arg),
        }
    }

    /// A body of one statement without braces gets them, because a statement may be added.
    fn braces(&mut self, body: &RuleBody) {
        let span = &body.query.span;
        if !body.query.stmts.is_empty() && !span.text().starts_with('{') {
            self.changes.push(Change::Before(span.start, "{ ".into()));
            self.braces.push(Change::After(span.end, " }".into()));
        }
    }

    fn bind(&mut self, name: &Span) {
        self.fit &= !is_root(name.text());
    }
}

impl Visitor for Look<'_> {
    fn statement(&mut self, statement: &LiteralStmt) {
        self.fit &= statement.with_mods.is_empty();
        match &statement.literal {
            Literal::Expr { expr, .. } => self.assignment(expr),
            Literal::SomeVars { vars, .. } => vars.iter().for_each(|name| self.bind(name)),
            Literal::SomeIn { key, value, .. } => {
                for term in key.iter().chain([value]) {
                    self.fit &= matches!(term.as_ref(), Expr::Var { .. });
                    self.bind(term.span());
                    self.assigned.insert(term.span().text().to_owned());
                }
                self.repeats |= self.depth == 1;
            }
            Literal::Every { .. } => self.fit = false,
            Literal::NotExpr { expr, .. } => self.fit &= !Parts::of(expr).repeats,
        }
    }

    fn expression(&mut self, expression: &Expr) {
        if let Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } = expression {
            self.fit &= !self.packages.is_whole(expression);
        }
        match expression {
            // The remainder of fractions is another one.
            Expr::ArithExpr { op: ArithOp::Mod, .. } => self.fit = false,
            Expr::Call { fcn, .. } => self.fit &= !UNFIT.contains(&fcn.span().text()),
            // Its keys may have two values, which the machine does not tell.
            Expr::ObjectCompr { .. } => self.fit = false,
            Expr::RefBrack { .. } if self.depth == 1 => {
                let parts = Parts::of(expression);
                self.searched.extend(parts.keys);
                self.repeats |= parts.searches;
            }
            _ => {}
        }
    }

    fn enter(&mut self, query: &Query) {
        self.depth += 1;
        if self.depth > 1 {
            self.comprehends = true;
            self.loops_first(query);
        }
    }

    fn leave(&mut self, _: &Query) {
        self.depth -= 1;
    }
}

impl Look<'_> {
    /// The machine goes on where `x := e` has no value; a comparison after it does not.
    fn assignment(&mut self, expr: &Expr) {
        let Expr::AssignExpr { span, op, lhs, rhs, .. } = expr else { return };
        match (op, lhs.as_ref()) {
            (AssignOp::ColEq, Expr::Var { span: name, .. }) if name.text() != "_" => {
                self.bind(name);
                self.assigned.insert(name.text().to_owned());
                self.changes.push(Change::After(span.end, format!("; {0} == {0}", name.text())));
            }
            (AssignOp::ColEq, _) => self.fit = false,
            (AssignOp::Eq, left) => {
                for side in [left, rhs.as_ref()] {
                    self.fit &= !is_root(side.span().text()) && !is_pattern(side);
                    if let Expr::Var { span: name, .. } = side {
                        self.assigned.insert(name.text().to_owned());
                    }
                }
            }
        }
    }

    /// Where a condition fails in a comprehension that is in no loop of its own, the machine leaves the loop around it.
    /// So the first statement must be a loop, and the engine must not order another one before it.
    fn loops_first(&mut self, query: &Query) {
        let Some((first, others)) = query.stmts.split_first() else {
            self.fit = false;
            return;
        };
        let assigned: BTreeSet<&str> = others.iter().flat_map(assigns).collect();
        let words = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned);
            words.any(|word| assigned.contains(word.as_str()))
        };
        self.fit &= !words(first.span.text());
        match &first.literal {
            Literal::SomeIn { collection, .. } => self.fit &= !Parts::of(collection).repeats,
            Literal::Expr { expr, .. } => {
                let parts = Parts::of(expr);
                self.fit &= parts.searches || !parts.keys.is_empty();
                if !parts.searches {
                    // One of them is enough, but which one has no value yet is only known where there is one.
                    self.fit &= parts.keys.len() == 1;
                    self.must_search.extend(parts.keys);
                }
            }
            _ => self.fit = false,
        }
    }
}

/// The names that a statement gives values.
fn assigns(statement: &LiteralStmt) -> Vec<&str> {
    let Literal::Expr { expr, .. } = &statement.literal else { return vec![] };
    let Expr::AssignExpr { lhs, rhs, .. } = expr.as_ref() else { return vec![] };
    vec![lhs.span().text(), rhs.span().text()]
}

/// By what the references within an expression look for things.
#[derive(Default)]
pub(super) struct Parts {
    /// Names; a name without a value is a search.
    keys: BTreeSet<String>,
    /// By `_`, or by a term that may hold names.
    searches: bool,
    /// Whether it may have more than one value, or holds a comprehension.
    pub(super) repeats: bool,
}

impl Parts {
    pub(super) fn of(expr: &Expr) -> Self {
        let mut parts = Self::default();
        walk::expression(expr, &mut parts);
        parts.repeats |= parts.searches;
        parts
    }

    fn reference(&mut self, mut reference: &Expr) {
        loop {
            match reference {
                Expr::RefBrack { refr, index, .. } => {
                    match index.as_ref() {
                        Expr::Var { span, .. } if span.text() == "_" => self.searches = true,
                        Expr::Var { span, .. } => drop(self.keys.insert(span.text().to_owned())),
                        Expr::Array { .. } | Expr::Object { .. } | Expr::Set { .. } => self.searches = true,
                        _ => {}
                    }
                    reference = refr;
                }
                Expr::RefDot { refr, .. } => reference = refr,
                _ => return,
            }
        }
    }
}

impl Visitor for Parts {
    fn expression(&mut self, expression: &Expr) {
        if let Expr::RefBrack { .. } | Expr::RefDot { .. } = expression {
            self.reference(expression);
        }
    }

    fn enter(&mut self, _: &Query) {
        self.repeats = true;
    }
}

fn is_root(name: &str) -> bool {
    matches!(name, "input" | "data")
}

/// A term that takes another apart.
fn is_pattern(term: &Expr) -> bool {
    matches!(term, Expr::Array { .. } | Expr::Object { .. } | Expr::Set { .. })
}

pub(super) fn is_constant(term: &Expr) -> bool {
    use Expr::{Bool, Null, Number, RawString, String};
    matches!(term, String { .. } | RawString { .. } | Number { .. } | Bool { .. } | Null { .. })
}
