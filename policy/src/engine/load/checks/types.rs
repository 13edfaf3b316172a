//! Constants where a builtin takes nothing of their kind: OPA's compiler refuses them, the engine's calls would have no
//! value. And sets that are ordered among other values, where the engine's order is not OPA's.

use super::super::{LoadedSource, walk};
use super::scope::{Scope, Scoped};
use super::symbols::{Symbols, fixed_parts, imports, package};
use crate::Diagnostic;
use regorus::unstable::{BoolOp, Expr, Span};

/// What a constant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Null,
    Array,
    Set,
    Object,
}

use Kind::{Array, Boolean, Null, Number, Object, Set, Text};

const TEXT: &[Kind] = &[Text];
const NUMBER: &[Kind] = &[Number];
const ARRAY: &[Kind] = &[Array];
const OBJECT: &[Kind] = &[Object];
const LIST: &[Kind] = &[Array, Set];
const COUNTED: &[Kind] = &[Array, Set, Object, Text];

/// Builtins and what their arguments may be, from the first on.
const TAKES: &[(&[&str], &[&[Kind]])] = &[
    (&["count"], &[COUNTED]),
    (&["sum", "product", "max", "min", "sort"], &[LIST]),
    (&["abs", "ceil", "floor", "round", "bits.negate"], &[NUMBER]),
    (&["bits.and", "bits.or", "bits.xor", "bits.lsh", "bits.rsh", "numbers.range", "format_int"], &[NUMBER, NUMBER]),
    (&["to_number"], &[&[Text, Number, Boolean, Null]]),
    (&["lower", "upper", "trim_space", "strings.reverse", "json.unmarshal", "yaml.unmarshal"], &[TEXT]),
    (&["base64.encode", "base64.decode", "base64url.encode", "base64url.decode", "hex.encode", "hex.decode"], &[TEXT]),
    (
        &["units.parse", "units.parse_bytes", "time.parse_rfc3339_ns", "time.parse_duration_ns", "regex.is_valid"],
        &[TEXT],
    ),
    (&["crypto.md5", "crypto.sha1", "crypto.sha256", "urlquery.encode", "urlquery.decode"], &[TEXT]),
    (&["contains", "endswith", "startswith", "indexof", "split", "trim", "trim_left", "trim_right"], &[TEXT, TEXT]),
    (&["trim_prefix", "trim_suffix", "regex.match", "re_match", "regex.split", "semver.compare"], &[TEXT, TEXT]),
    (&["strings.count", "net.cidr_contains", "net.cidr_intersects"], &[TEXT, TEXT]),
    (&["replace", "regex.replace"], &[TEXT, TEXT, TEXT]),
    (&["substring"], &[TEXT, NUMBER, NUMBER]),
    (&["sprintf"], &[TEXT, ARRAY]),
    (&["concat"], &[TEXT, LIST]),
    (&["array.concat"], &[ARRAY, ARRAY]),
    (&["array.slice"], &[ARRAY, NUMBER, NUMBER]),
    (&["array.reverse"], &[ARRAY]),
    (&["object.get", "object.keys", "object.remove", "object.filter"], &[OBJECT]),
    (&["object.union"], &[OBJECT, OBJECT]),
    (&["union", "intersection"], &[&[Set]]),
];

/// One finding per constant and comparison.
pub(super) fn check(sources: &[LoadedSource], symbols: &Symbols) -> Vec<Diagnostic> {
    let mut diagnostics = vec![];
    for source in sources {
        let (package, imports) = (package(source.module()), imports(source.module()));
        for rule in &source.module().policy {
            let seen = |scope: &Scope<'_>, expression: &Expr| match expression {
                Expr::Call { fcn, params, .. } => {
                    let is_own = scope.resolve(fcn, symbols).is_some_and(|name| symbols.rules.contains_key(&name));
                    let name = fixed_parts(fcn).join(".");
                    if !is_own {
                        let given = takes(&name).iter().zip(params);
                        diagnostics.extend(given.filter_map(|(kinds, given)| wrong(source, &name, kinds, given)));
                    }
                }
                Expr::BoolExpr { op: BoolOp::Lt | BoolOp::Le | BoolOp::Gt | BoolOp::Ge, span, lhs, rhs, .. }
                    if may_differ(kind(lhs), kind(rhs)) =>
                {
                    let message = "sets and objects have another order in OPA";
                    diagnostics.push(find(source, span, message.into()).help("Compare what they hold, or `count`."));
                }
                _ => {}
            };
            walk::rule(rule, &mut Scoped { scope: Scope::of(rule, &package, &imports), seen });
        }
    }
    diagnostics
}

/// Whether one may be a set and the other an object.
fn may_differ(left: Option<Kind>, right: Option<Kind>) -> bool {
    match (left, right) {
        (Some(Set), other) | (other, Some(Set)) => other.is_none_or(|other| other == Object),
        (Some(Object), other) | (other, Some(Object)) => other.is_none(),
        _ => false,
    }
}

fn takes(name: &str) -> &'static [&'static [Kind]] {
    TAKES.iter().find(|(names, _)| names.contains(&name)).map_or(&[], |(_, takes)| takes)
}

fn wrong(source: &LoadedSource, name: &str, kinds: &[Kind], given: &Expr) -> Option<Diagnostic> {
    let is = kind(given).filter(|is| !kinds.contains(is))?;
    let wanted: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let finding = find(source, given.span(), format!("`{name}` takes no {}", is.name()));
    Some(finding.help(format!("It takes: {}.", wanted.join(", "))))
}

fn find(source: &LoadedSource, span: &Span, message: String) -> Diagnostic {
    source.diagnostic(span.start as usize..span.end as usize, message)
}

/// What the text itself says; nothing of variables and calls.
fn kind(expression: &Expr) -> Option<Kind> {
    match expression {
        Expr::String { .. } | Expr::RawString { .. } => Some(Text),
        Expr::Number { .. } => Some(Number),
        Expr::Bool { .. } => Some(Boolean),
        Expr::Null { .. } => Some(Null),
        Expr::Array { .. } | Expr::ArrayCompr { .. } => Some(Array),
        Expr::Set { .. } | Expr::SetCompr { .. } => Some(Set),
        Expr::Object { .. } | Expr::ObjectCompr { .. } => Some(Object),
        Expr::Call { fcn, .. } if fcn.span().text() == "set" => Some(Set),
        _ => None,
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Text => "text",
            Number => "number",
            Boolean => "boolean",
            Null => "null",
            Array => "array",
            Set => "set",
            Object => "object",
        }
    }
}
