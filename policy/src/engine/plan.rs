//! A policy as a plan: every name resolved, every loop in its place, so that evaluating it looks nothing up by text. An
//! order of magnitude faster than the engine's interpreter on the engine's own values, and not trusted: what is not
//! known to mean the same has no plan, and what a plan is not sure of the interpreter says.

mod body;
mod compile;
mod machine;
mod names;
mod pure;
mod reference;
mod run;
mod scope;
mod term;

use super::Value;
use super::builtins::Own;
pub use machine::evaluate;
pub(in crate::engine) use machine::{Machine, Said};
use regorus::unstable::{ArithOp, BinOp, BoolOp, Expr, Ref, Span};
use std::collections::BTreeMap;

/// All rules that the entries reach.
struct Plan {
    rules: Vec<Rule>,
    /// The positions of the entries by their full names.
    entries: BTreeMap<String, usize>,
    /// Paths below `input` that are looked up once in an evaluation.
    inputs: Vec<Vec<Value>>,
    /// Where the modules stand below `data`. Base documents must not be there.
    packages: Vec<Vec<String>>,
}

/// All definitions of one name.
struct Rule {
    kind: Kind,
    default: Option<Value>,
    definitions: Vec<Definition>,
    /// How many values its frame holds; the arguments are the first.
    slots: usize,
    /// Whether all definitions can only have one and the same value, so that the first that holds says all.
    constant: bool,
    /// Whether its value hangs on its arguments alone.
    pure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value,
    Set,
    Object,
    Function,
}

/// Bodies of which the first that holds counts.
struct Definition {
    arguments: Vec<Pattern>,
    bodies: Vec<Body>,
}

struct Body {
    steps: Vec<Step>,
    /// Of an object.
    key: Option<Term>,
    value: Term,
}

/// One thing to do; the steps after it are done for each of its outcomes.
enum Step {
    /// Go on if the term is defined and not false.
    Test(Term),
    /// Go on with the value in the slot, if there is one.
    Bind(usize, Term),
    /// Go on if the value is like the pattern.
    Match(Pattern, Term),
    /// Go on if the steps never come to their end.
    Not(Vec<Step>),
    /// Go on if the steps come to their end for each item.
    Every(Every),
    /// Go on once for each item.
    Scan(Scan),
}

struct Every {
    over: Term,
    key: Option<usize>,
    value: usize,
    steps: Vec<Step>,
}

struct Scan {
    over: Term,
    key: Pattern,
    value: Pattern,
    /// Whether the interpreter errs where there are no items to be had.
    strict: bool,
}

/// What a value is held against, and where its parts go.
enum Pattern {
    Any,
    Bind(usize),
    Equals(Term),
    Array(Vec<Pattern>),
    Object(Vec<(Term, Pattern)>),
}

/// What has one value, or none, once the slots before it are filled.
enum Term {
    Constant(Value),
    Slot(usize),
    Reference(Reference),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    Comprehension(Box<Comprehension>),
    Call(usize, Vec<Term>),
    Builtin(Builtin, Vec<Term>),
    Compare(BoolOp, Box<(Term, Term)>),
    Arithmetic(ArithOp, Box<(Term, Term)>),
    Sets(BinOp, Box<(Term, Term)>),
    Member(Box<Member>),
}

struct Member {
    key: Option<Term>,
    value: Term,
    collection: Term,
}

struct Comprehension {
    kind: Collection,
    steps: Vec<Step>,
    /// Of an object.
    key: Option<Term>,
    value: Term,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collection {
    Array,
    Set,
    Object,
}

struct Reference {
    base: Base,
    path: Vec<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// A position among the plan's inputs.
    Input(usize),
    Data,
    Rule(usize),
    Slot(usize),
}

enum Key {
    Constant(Value),
    Slot(usize),
}

/// A builtin of the engine, with what it would point at in its errors.
type Native = fn(&Span, &[Ref<Expr>], &[Value], bool) -> anyhow::Result<Value>;

#[derive(Clone, Copy)]
enum Builtin {
    Own(&'static Own),
    Native(Native),
}

/// Why there is no plan of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfit {
    /// A variable has no value yet; after other statements it may have one.
    NotYet,
    /// It is not known to mean here what it means to the interpreter.
    Never,
}

type Fit<T> = Result<T, Unfit>;
