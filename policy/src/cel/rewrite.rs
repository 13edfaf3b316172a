//! From an author's expression to the one that is evaluated. Names and functions that do not exist or are not evaluated
//! here are findings; comparisons, `has`, loops and what makes large values become calls that are ours.

use super::environment;
use super::functions::{self, Refusal};
use super::tree::{self, Node};
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};
use std::collections::BTreeSet;

/// The longest expression that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// The names of a whole policy, in the order of their places; variables follow.
pub(super) const OF_POLICY: [&str; 5] = ["object", "oldObject", "request", "namespaceObject", "params"];

/// An expression that can be evaluated.
#[derive(Debug)]
pub(crate) struct Expression {
    /// As the author wrote it.
    pub(crate) text: String,
    pub(super) tree: Node,
    /// The positions of the variables that it asks for itself.
    pub(super) needs: BTreeSet<usize>,
    /// Whether it asks for the Namespace object.
    pub(super) names_namespace: bool,
}

/// What is wrong with an expression; line and column from 1 within its text, 0 for the whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub place: (u32, u32),
    pub message: String,
    pub help: String,
}

/// What an expression may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// `object` and the like.
    pub names: &'a [&'a str],
    /// Those after `variables.`, of which a variable sees the earlier ones.
    pub variables: &'a [String],
}

impl Expression {
    /// The expression, or all that is wrong with it.
    pub(crate) fn read(text: &str, scope: Scope<'_>) -> Result<Self, Vec<Finding>> {
        if text.len() > LONGEST {
            return Err(vec![Finding {
                place: (0, 0),
                message: format!("the expression is longer than {LONGEST} bytes"),
                help: "Split it into variables.".to_owned(),
            }]);
        }
        let parsed = environment::parser().parse_with_source_info(text);
        let (mut tree, info) =
            parsed.map_err(|errors| errors.errors.iter().take(3).map(malformed).collect::<Vec<_>>())?;
        let mut walk =
            Walk { scope, info: &info, bound: vec![], needs: BTreeSet::new(), namespace: false, findings: vec![] };
        walk.visit(&mut tree);
        let Walk { needs, namespace: names_namespace, findings, .. } = walk;
        if findings.is_empty() {
            let variables = scope.variables.iter().map(|name| format!("variables.{name}"));
            let names: Vec<String> = OF_POLICY.iter().map(ToString::to_string).chain(variables).collect();
            Ok(Self { text: text.to_owned(), tree: tree::lay_out(&tree, &names), needs, names_namespace })
        } else {
            Err(findings)
        }
    }
}

fn malformed(error: &cel::ParseError) -> Finding {
    let at = |number: isize| u32::try_from(number).unwrap_or_default();
    let message = error.msg.trim().trim_start_matches("Syntax error: ");
    let message = message.split(" expecting {").next().unwrap_or(message).to_owned();
    Finding {
        place: (at(error.pos.0), at(error.pos.1)),
        message: format!("the expression is not CEL: {message}"),
        help: "See https://kubernetes.io/docs/reference/using-api/cel/ for the language.".to_owned(),
    }
}

struct Walk<'a> {
    scope: Scope<'a>,
    info: &'a SourceInfo,
    /// The variables of the loops around.
    bound: Vec<String>,
    needs: BTreeSet<usize>,
    namespace: bool,
    findings: Vec<Finding>,
}

/// Names of types, which are values too.
const TYPES: &[&str] =
    &["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint", "optional_type"];

impl Walk<'_> {
    fn find(&mut self, id: u64, message: String, help: &str) {
        let start = self.info.offset_for(id).map_or(0, |(start, _)| start as usize);
        let before: String = self.info.source.chars().take(start).collect();
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) as u32 + 1;
        let finding = Finding { place: (line, column), message, help: help.to_owned() };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn visit(&mut self, node: &mut IdedExpr) {
        let id = node.id;
        if let Some(name) = variable(&node.expr) {
            let name = name.to_owned();
            return self.variable(node, &name);
        }
        match &mut node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                let name = name.clone();
                self.name(id, &name);
            }
            Expr::Select(select) => {
                if !is_type_name(&select.operand.expr, &select.field) || select.test {
                    self.visit(&mut select.operand);
                }
                if select.test {
                    let holder = std::mem::take(select.operand.as_mut());
                    let field = literal(id, &select.field);
                    node.expr = call("@has", vec![holder, field]);
                }
            }
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.visit(element)),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    match &mut entry.expr {
                        EntryExpr::MapEntry(entry) => {
                            self.visit(&mut entry.key);
                            self.visit(&mut entry.value);
                        }
                        EntryExpr::StructField(field) => self.visit(&mut field.value),
                    }
                }
            }
            Expr::Struct(made) => {
                let name = made.type_name.clone();
                let help = "Write a map: `{\"key\": value}`.";
                self.find(id, format!("objects of type `{name}` cannot be made here"), help);
            }
            Expr::Call(_) => self.call(node),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn name(&mut self, id: u64, name: &str) {
        if self.bound.iter().any(|bound| bound == name) || TYPES.contains(&name) {
            return;
        }
        self.namespace |= name == "namespaceObject";
        if self.scope.names.contains(&name) {
            return;
        }
        let (message, help) = match name {
            "variables" => ("`variables` is not a value".to_owned(), "Name one of them: `variables.params`."),
            "params" => {
                ("`params` is not known here".to_owned(), "The constraint's parameters are `variables.params`.")
            }
            "authorizer" => (
                "`authorizer` is not evaluated: policies here ask nothing of the API server".to_owned(),
                "Judge `request.userInfo` instead.",
            ),
            _ => (
                format!("`{name}` is not known"),
                "There are `object`, `oldObject`, `request`, `namespaceObject` and `variables`.",
            ),
        };
        self.find(id, message, help);
    }

    /// `variables.name`: one of them, with its error if it has one.
    fn variable(&mut self, node: &mut IdedExpr, name: &str) {
        let Some(at) = self.scope.variables.iter().position(|known| known == name) else {
            let message = format!("`variables.{name}` is not known here");
            return self.find(node.id, message, "Variables see only those that are listed above them.");
        };
        self.needs.insert(at);
        let is_test = matches!(&node.expr, Expr::Select(select) if select.test);
        let inner = |expr| vec![IdedExpr { id: node.id, expr }];
        let held = call("@held", inner(Expr::Ident(format!("variables.{name}"))));
        // Each one that is declared is there.
        node.expr = if is_test { call("@present", inner(held)) } else { held };
    }

    fn call(&mut self, node: &mut IdedExpr) {
        let id = node.id;
        let Expr::Call(made) = &mut node.expr else { return };
        if let Some(namespace) = made.target.as_ref().and_then(|target| namespace(&target.expr, &self.bound)) {
            let name = format!("{namespace}.{}", made.func_name);
            made.args.iter_mut().for_each(|argument| self.visit(argument));
            let outcome = functions::check(&name, false, made.args.len());
            if functions::is_qualified(&name) {
                (made.func_name, made.target) = (name.clone(), None);
            }
            return self.refuse(id, &name, outcome);
        }
        let known = self.findings.len();
        if let Some(target) = &mut made.target {
            self.visit(target);
        }
        let (name, is_method, count) = (made.func_name.clone(), made.target.is_some(), made.args.len());
        let outcome = if is_operator(&name) { Ok(()) } else { functions::check(&name, is_method, count) };
        if outcome != Err(Refusal::Unsupported) {
            made.args.iter_mut().for_each(|argument| self.visit(argument));
        }
        // What is called on a mistake is not one more.
        if !is_method || self.findings.len() == known {
            self.refuse(id, &name, outcome);
        }
        ours(node);
    }

    fn refuse(&mut self, id: u64, name: &str, outcome: Result<(), Refusal>) {
        let shown = name.trim_start_matches("math.@").trim_start_matches('@');
        match outcome {
            Ok(()) => {}
            Err(Refusal::Unknown) => self.find(
                id,
                format!("there is no function `{shown}`"),
                "See https://kubernetes.io/docs/reference/using-api/cel/ for those that there are.",
            ),
            Err(Refusal::Unsupported) => self.find(
                id,
                format!("`{shown}` is not evaluated here in this form"),
                "Write it with the one-variable macros and `variables`, or add the same rule in Rego beside it.",
            ),
            Err(Refusal::Arguments(counts)) => {
                let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
                self.find(id, format!("`{shown}` takes {} arguments", counts.join(" or ")), "Correct the call.");
            }
        }
    }

    fn comprehension(&mut self, made: &mut ComprehensionExpr) {
        self.visit(&mut made.iter_range);
        self.visit(&mut made.accu_init);
        let bound = self.bound.len();
        self.bound.push(made.accu_var.clone());
        self.visit_without_loop(&mut made.result, &made.accu_var);
        self.bound.push(made.iter_var.clone());
        self.bound.extend(made.iter_var2.clone());
        let accumulator = made.accu_var.clone();
        self.step(&mut made.loop_step, &accumulator);
        self.bound.truncate(bound);
        // Maps are gone through in the order of their keys.
        let range = std::mem::take(&mut made.iter_range);
        made.iter_range = IdedExpr { id: range.id, expr: call("@settled", vec![range]) };
    }

    /// What follows a loop: the accumulator itself, or a question about it.
    fn visit_without_loop(&mut self, result: &mut IdedExpr, accumulator: &str) {
        if !matches!(&result.expr, Expr::Ident(name) if name == accumulator) {
            self.visit(result);
        }
    }

    /// The step of a loop, in the shapes that the macros give it. Only what the author wrote is rewritten, for the crate
    /// knows these shapes; and what the author wrote is reached only while there is budget.
    fn step(&mut self, step: &mut IdedExpr, accumulator: &str) {
        let is_accumulator = |node: &IdedExpr| matches!(&node.expr, Expr::Ident(name) if name == accumulator);
        match &mut step.expr {
            Expr::Call(made) if made.target.is_none() => match (made.func_name.as_str(), made.args.as_mut_slice()) {
                (operators::LOGICAL_AND | operators::LOGICAL_OR, [first, body]) if is_accumulator(first) => {
                    self.visit(body);
                    guard(body, false);
                }
                (operators::ADD, [first, items]) if is_accumulator(first) => {
                    if let Expr::List(list) = &mut items.expr {
                        for item in &mut list.elements {
                            self.visit(item);
                            guard(item, true);
                        }
                    }
                }
                (operators::CONDITIONAL, [condition, inner, last]) if is_accumulator(last) => {
                    self.visit(condition);
                    guard(condition, false);
                    self.step(inner, accumulator);
                }
                _ => self.visit(step),
            },
            _ => self.visit(step),
        }
    }
}

/// `variables.name`, tested or not.
fn variable(expr: &Expr) -> Option<&str> {
    let Expr::Select(select) = expr else { return None };
    matches!(&select.operand.expr, Expr::Ident(name) if name == "variables").then_some(select.field.as_str())
}

/// `google.protobuf.Timestamp` and the like.
fn is_type_name(operand: &Expr, field: &str) -> bool {
    let Expr::Select(select) = operand else { return false };
    matches!(&select.operand.expr, Expr::Ident(name) if name == "google")
        && select.field == "protobuf"
        && matches!(field, "Timestamp" | "Duration")
}

/// The namespace that a call's target is, unless a loop's variable has its name.
fn namespace<'a>(target: &'a Expr, bound: &[String]) -> Option<&'a str> {
    let Expr::Ident(name) = target else { return None };
    (functions::is_namespace(name) && !bound.iter().any(|bound| bound == name)).then_some(name.as_str())
}

fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '!', '-']) || [operators::NOT_STRICTLY_FALSE, operators::IN].contains(&name)
}

fn call(name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args })
}

fn literal(id: u64, text: &str) -> IdedExpr {
    IdedExpr { id, expr: Expr::Literal(LiteralValue::String(text.to_owned().into())) }
}

/// The operators and functions that are not the crate's.
fn ours(node: &mut IdedExpr) {
    let id = node.id;
    let Expr::Call(made) = &mut node.expr else { return };
    match made.func_name.as_str() {
        operators::EQUALS => made.func_name = "@equals".to_owned(),
        operators::IN => made.func_name = "@contains".to_owned(),
        operators::NOT_EQUALS => {
            made.func_name = "@equals".to_owned();
            let equals = std::mem::take(&mut node.expr);
            node.expr = call(operators::LOGICAL_NOT, vec![IdedExpr { id, expr: equals }]);
        }
        // Ours count what they make before they make it, and take no longer than their arguments are long.
        "replace" | "join" | "split" | "distinct" | "indexOf" | "lastIndexOf" => made.func_name.insert(0, '@'),
        operators::ADD | "format" | "lists.range" | "strings.quote" | "base64.encode" | "string" | "flatten" => {
            let made = std::mem::take(&mut node.expr);
            node.expr = call("@kept", vec![IdedExpr { id, expr: made }]);
        }
        _ => {}
    }
}

/// Makes a loop's body be reached only while there is budget, and counts what is kept of it.
fn guard(body: &mut IdedExpr, is_kept: bool) {
    let id = body.id;
    let node = |expr| IdedExpr { id, expr };
    let inner = std::mem::take(body);
    let guarded = call(operators::CONDITIONAL, vec![node(call("@within", vec![])), inner, node(call("@stop", vec![]))]);
    body.id = id;
    body.expr = if is_kept { call("@kept", vec![node(guarded)]) } else { guarded };
}
