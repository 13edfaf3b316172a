//! The builtins of Rego v0 that OPA has deprecated. Policies written for old OPAs (MagTape's) still call them.

use super::answer::{Fault, items};
use super::{Answer, Own, cidr, regex};
use regorus::Value;
use std::collections::BTreeSet;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "all", arity: 1, call: all },
    Own { name: "any", arity: 1, call: any },
    Own { name: "re_match", arity: 2, call: regex::is_match },
    Own { name: "set_diff", arity: 2, call: set_diff },
    Own { name: "net.cidr_overlap", arity: 2, call: cidr::contains },
    Own { name: "cast_array", arity: 1, call: cast_array },
    Own { name: "cast_boolean", arity: 1, call: |given| only(given, |value| matches!(value, Value::Bool(_))) },
    Own { name: "cast_null", arity: 1, call: |given| only(given, |value| matches!(value, Value::Null)) },
    Own { name: "cast_object", arity: 1, call: |given| only(given, |value| matches!(value, Value::Object(_))) },
    Own { name: "cast_set", arity: 1, call: cast_set },
    Own { name: "cast_string", arity: 1, call: |given| only(given, |value| matches!(value, Value::String(_))) },
];

fn all(arguments: &[Value]) -> Answer {
    Ok(Value::from(items(arguments, 0)?.into_iter().all(|item| *item == Value::from(true))))
}

fn any(arguments: &[Value]) -> Answer {
    Ok(Value::from(items(arguments, 0)?.into_iter().any(|item| *item == Value::from(true))))
}

fn set_diff(arguments: &[Value]) -> Answer {
    match (&arguments[0], &arguments[1]) {
        (Value::Set(left), Value::Set(right)) => {
            Ok(Value::from(left.iter().filter(|item| !right.contains(item)).cloned().collect::<BTreeSet<_>>()))
        }
        _ => Err(Fault::Undefined),
    }
}

fn cast_array(arguments: &[Value]) -> Answer {
    Ok(Value::from(items(arguments, 0)?.into_iter().cloned().collect::<Vec<_>>()))
}

fn cast_set(arguments: &[Value]) -> Answer {
    Ok(Value::from(items(arguments, 0)?.into_iter().cloned().collect::<BTreeSet<_>>()))
}

fn only(arguments: &[Value], wanted: fn(&Value) -> bool) -> Answer {
    if wanted(&arguments[0]) { Ok(arguments[0].clone()) } else { Err(Fault::Undefined) }
}
