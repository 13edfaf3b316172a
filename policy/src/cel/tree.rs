//! An expression laid out for evaluation: every name is a place, every function of ours what it calls. These are the
//! shapes that policies are made of; what else there is the crate evaluates.

use super::environment;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, SelectExpr, operators};
use cel::common::functions::Function;
use cel::common::types::CelString;

/// What has a value.
#[derive(Debug)]
pub(super) enum Node {
    Literal(LiteralValue),
    Name(Place),
    /// A variable of the policy's, which may have an error in place of a value.
    Held(Place),
    If(Box<[Node; 3]>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Not(Box<Node>),
    /// False only if that is: what a loop asks before its next turn.
    NotFalse(Box<Node>),
    Equals(Box<[Node; 2]>),
    Own(Function, Vec<Node>),
    Operation(Box<Operation>),
    List(Vec<Node>),
    Loop(Box<Loop>),
    Foreign(Box<Foreign>),
}

/// Where the value of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the names of the whole policy.
    Policy(usize),
    /// The item of a loop, so many loops outwards.
    Item(usize),
    /// What a loop has made so far.
    Made(usize),
}

/// Something that is done with values. What cannot be done quickly, and every error, is the crate's.
#[derive(Debug)]
pub(super) struct Operation {
    pub quick: Quick,
    pub given: Vec<Node>,
    /// The same on the names `@0`, `@1` and so on.
    pub slow: IdedExpr,
}

#[derive(Debug)]
pub(super) enum Quick {
    Field(CelString<'static>),
    Function(String),
    StartsWith,
    EndsWith,
    Add,
    Nothing,
}

#[derive(Debug)]
pub(super) struct Loop {
    pub range: Node,
    pub first: Node,
    pub goes_on: Node,
    pub step: Step,
    pub result: Node,
}

#[derive(Debug)]
pub(super) enum Step {
    /// What is made next. With `absorbing`, an error waits for a later item that makes the result so whatever else.
    Next { made: Node, absorbing: Option<bool> },
    /// Items of a list, which is the result; only if the condition holds.
    Append { only_if: Option<Node>, items: Vec<Node> },
}

/// An expression that the crate evaluates, with the names that it uses.
#[derive(Debug)]
pub(super) struct Foreign {
    pub expression: IdedExpr,
    pub names: Vec<(String, Node)>,
}

/// The expression's layout; `names` are those of the whole policy, in their order.
pub(super) fn lay_out(expression: &IdedExpr, names: &[String]) -> Node {
    Layout { names, loops: vec![] }.node(expression)
}

struct Layout<'a> {
    names: &'a [String],
    /// The variables of the loops around, the innermost last: item and result.
    loops: Vec<(String, String)>,
}

impl Layout<'_> {
    fn node(&mut self, node: &IdedExpr) -> Node {
        match &node.expr {
            Expr::Literal(literal) => Node::Literal(literal.clone()),
            Expr::Ident(name) => self.place(name).map_or_else(|| self.foreign(node), Node::Name),
            Expr::Select(SelectExpr { operand, field, test: false }) if self.is_value(operand) => {
                let slow = Expr::Select(SelectExpr { operand: given(0), field: field.clone(), test: false });
                self.operation(Quick::Field(CelString::from(field.clone())), [&**operand], slow)
            }
            Expr::List(ListExpr { elements, optional_indices }) if optional_indices.is_empty() => {
                Node::List(elements.iter().map(|element| self.node(element)).collect())
            }
            Expr::Call(call) => self.call(node, call),
            Expr::Comprehension(made) if made.iter_var2.is_none() => self.comprehension(made),
            _ => self.foreign(node),
        }
    }

    fn place(&self, name: &str) -> Option<Place> {
        let of_loops = self.loops.iter().rev().enumerate().find_map(|(outwards, (item, result))| match name {
            _ if name == item => Some(Place::Item(outwards)),
            _ if name == result => Some(Place::Made(outwards)),
            _ => None,
        });
        of_loops.or_else(|| self.names.iter().position(|known| known == name).map(Place::Policy))
    }

    /// Whether it is surely a value, and not the first part of the name of a type or a function.
    fn is_value(&self, node: &IdedExpr) -> bool {
        match &node.expr {
            Expr::Ident(name) => self.place(name).is_some(),
            Expr::Select(select) => self.is_value(&select.operand),
            _ => true,
        }
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Node {
        let name = call.func_name.as_str();
        if let Some(target) = &call.target {
            return if self.is_value(target) { self.method(target, call) } else { self.foreign(node) };
        }
        match (name, call.args.as_slice()) {
            (operators::CONDITIONAL, [a, b, c]) => Node::If(Box::new([self.node(a), self.node(b), self.node(c)])),
            (operators::LOGICAL_AND, [a, b]) => Node::And(Box::new([self.node(a), self.node(b)])),
            (operators::LOGICAL_OR, [a, b]) => Node::Or(Box::new([self.node(a), self.node(b)])),
            (operators::LOGICAL_NOT, [a]) => Node::Not(Box::new(self.node(a))),
            (operators::NOT_STRICTLY_FALSE, [a]) => Node::NotFalse(Box::new(self.node(a))),
            ("@equals", [a, b]) => Node::Equals(Box::new([self.node(a), self.node(b)])),
            ("@held", [IdedExpr { expr: Expr::Ident(held), .. }]) => match self.place(held) {
                Some(place) => Node::Held(place),
                None => self.foreign(node),
            },
            _ => {
                if let Some(own) = environment::own(name) {
                    return Node::Own(own, call.args.iter().map(|argument| self.node(argument)).collect());
                }
                let quick = match name {
                    operators::ADD => Quick::Add,
                    _ if name.starts_with(['_', '-', '!']) => Quick::Nothing,
                    _ => Quick::Function(name.to_owned()),
                };
                let args = (0..call.args.len()).map(|at| *given(at)).collect();
                let slow = Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args });
                self.operation(quick, call.args.iter(), slow)
            }
        }
    }

    fn method(&mut self, target: &IdedExpr, call: &CallExpr) -> Node {
        let quick = match call.func_name.as_str() {
            "startsWith" => Quick::StartsWith,
            "endsWith" => Quick::EndsWith,
            _ => Quick::Nothing,
        };
        let args = (1..=call.args.len()).map(|at| *given(at)).collect();
        let slow = Expr::Call(CallExpr { func_name: call.func_name.clone(), target: Some(given(0)), args });
        self.operation(quick, std::iter::once(target).chain(&call.args), slow)
    }

    fn operation<'n>(&mut self, quick: Quick, given: impl IntoIterator<Item = &'n IdedExpr>, slow: Expr) -> Node {
        let given = given.into_iter().map(|node| self.node(node)).collect();
        Node::Operation(Box::new(Operation { quick, given, slow: IdedExpr { id: 0, expr: slow } }))
    }

    fn comprehension(&mut self, made: &ComprehensionExpr) -> Node {
        let (range, first) = (self.node(&made.iter_range), self.node(&made.accu_init));
        self.loops.push((made.iter_var.clone(), made.accu_var.clone()));
        let step = append(made).map(|(only_if, items)| Step::Append {
            only_if: only_if.map(|condition| self.node(condition)),
            items: items.iter().map(|item| self.node(item)).collect(),
        });
        let step = step.unwrap_or_else(|| Step::Next { made: self.node(&made.loop_step), absorbing: absorbing(made) });
        let (goes_on, result) = (self.node(&made.loop_cond), self.node(&made.result));
        self.loops.pop();
        Node::Loop(Box::new(Loop { range, first, goes_on, step, result }))
    }

    fn foreign(&mut self, node: &IdedExpr) -> Node {
        let mut used = vec![];
        names(&node.expr, &mut used);
        used.sort_unstable();
        used.dedup();
        let places = used.into_iter().filter_map(|name| Some((name.to_owned(), Node::Name(self.place(name)?))));
        Node::Foreign(Box::new(Foreign { expression: node.clone(), names: places.collect() }))
    }
}

/// The name under which the crate finds what an operation is given.
pub(super) fn given_name(at: usize) -> String {
    format!("@{at}")
}

fn given(at: usize) -> Box<IdedExpr> {
    Box::new(IdedExpr { id: 0, expr: Expr::Ident(given_name(at)) })
}

/// The condition and the items of a loop that only appends to an empty list.
fn append(made: &ComprehensionExpr) -> Option<(Option<&IdedExpr>, &[IdedExpr])> {
    let is_made = |node: &IdedExpr| matches!(&node.expr, Expr::Ident(name) if *name == made.accu_var);
    let is_empty = matches!(&made.accu_init.expr, Expr::List(list) if list.elements.is_empty());
    let is_endless = matches!(&made.loop_cond.expr, Expr::Literal(LiteralValue::Boolean(goes_on)) if *goes_on.inner());
    if !is_made(&made.result) || !is_empty || !is_endless {
        return None;
    }
    match &made.loop_step.expr {
        Expr::Call(CallExpr { func_name, target: None, args }) if func_name == operators::CONDITIONAL => {
            match args.as_slice() {
                [condition, step, otherwise] if is_made(otherwise) => Some((Some(condition), items(step, &is_made)?)),
                _ => None,
            }
        }
        _ => Some((None, items(&made.loop_step, &is_made)?)),
    }
}

fn items<'n>(node: &'n IdedExpr, is_made: &dyn Fn(&IdedExpr) -> bool) -> Option<&'n [IdedExpr]> {
    let Expr::Call(CallExpr { func_name, target: None, args }) = &node.expr else { return None };
    match args.as_slice() {
        [made, IdedExpr { expr: Expr::List(list), .. }] if is_made(made) && func_name == operators::ADD => {
            list.optional_indices.is_empty().then_some(list.elements.as_slice())
        }
        _ => None,
    }
}

/// What decides a loop of `&&` or `||` whatever else there is.
fn absorbing(made: &ComprehensionExpr) -> Option<bool> {
    let Expr::Call(CallExpr { func_name, target: None, args }) = &made.loop_step.expr else { return None };
    let folds = matches!(args.first().map(|first| &first.expr), Some(Expr::Ident(name)) if *name == made.accu_var);
    match func_name.as_str() {
        operators::LOGICAL_AND if folds => Some(false),
        operators::LOGICAL_OR if folds => Some(true),
        _ => None,
    }
}

/// Every name that stands in the expression.
fn names<'e>(expr: &'e Expr, found: &mut Vec<&'e str>) {
    use cel::common::ast::EntryExpr;
    match expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Struct(_) => {}
        Expr::Ident(name) => found.push(name),
        Expr::Select(select) => names(&select.operand.expr, found),
        Expr::List(list) => list.elements.iter().for_each(|element| names(&element.expr, found)),
        Expr::Call(call) => {
            call.target.iter().map(|target| &**target).chain(&call.args).for_each(|one| names(&one.expr, found))
        }
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    names(&entry.key.expr, found);
                    names(&entry.value.expr, found);
                }
            }
        }
        Expr::Comprehension(made) => {
            for part in [&made.iter_range, &made.accu_init, &made.loop_cond, &made.loop_step, &made.result] {
                names(&part.expr, found);
            }
        }
    }
}
