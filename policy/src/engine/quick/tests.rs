//! The quick way says what the interpreter says, or nothing.

mod random;
mod template;

use super::*;
use crate::SourceFile;
use crate::engine::load;

const LIMIT: Duration = Duration::from_secs(5);

fn engine(text: &str) -> Engine {
    let file = SourceFile { path: "p.rego".into(), text: text.into() };
    let loaded = load::load(&file, false).unwrap();
    Engine::build([loaded].iter()).unwrap()
}

fn quick(text: &str) -> Engine {
    let mut engine = engine(text);
    engine.quicken("data.p", &["deny"]);
    engine
}

/// The values of the interpreter and of the plan, beyond the first that are compared anyway.
fn both(text: &str, input: &str) -> (Result<Value, String>, Option<Value>) {
    let input = Value::from_json_str(input).unwrap();
    let mut engine = quick(text);
    engine.set_input(input);
    let quick = engine.quick.as_mut().and_then(|quick| match quick.eval("data.p.deny", LIMIT) {
        Said::Value(value) => Some(value),
        Said::Unsure | Said::OutOfTime | Said::Refused(_) => None,
    });
    (engine.interpret("data.p.deny", LIMIT).map_err(|error| error.to_string()), quick)
}

#[test]
fn policies_are_held_against_the_interpreter_at_different_times() {
    let turns: std::collections::BTreeSet<u32> =
        (0..12).map(|number| turn(&format!("data.writ.policy_{number}"))).collect();
    assert_eq!(turns.len(), 12);
}

#[test]
fn undefined_assignment_ends_the_body() {
    let text = "package p\ndeny contains \"no\" if { x := input.absent }\ndeny contains \"yes\" if { x := input.here }";
    let (interpreted, quick) = both(text, r#"{"here": false}"#);
    assert_eq!(interpreted.unwrap().to_string(), r#"["yes"]"#);
    assert_eq!(quick.unwrap().to_string(), r#"["yes"]"#);
}

#[test]
fn conflict_is_never_taken_for_no_value() {
    let conflicts = [
        "f(x) := 1 if x > 0\nf(x) := 2 if x > 1\ndeny contains \"a\" if f(input.x) == 9",
        "v := 1 if input.x > 0\nv := 2 if input.x > 1\ndeny contains \"a\" if v == 9",
        "f(xs) := y if { some y in xs }\ndeny contains \"a\" if f(input.xs) == 9",
        "f(xs) := y if { y := xs[_] }\ndeny contains \"a\" if f(input.xs) == 9",
        "deny contains \"a\" if {k: v | some p in input.ps; k := p[0]; v := p[1]} == {}",
    ];
    for text in conflicts {
        let input = r#"{"x": 5, "xs": [1, 2], "ps": [["a", 1], ["a", 2]]}"#;
        let (interpreted, quick) = both(&format!("package p\n{text}"), input);
        assert!(interpreted.is_err(), "{text}: {interpreted:?}");
        assert_eq!(quick, None, "{text}");
    }
}

#[test]
fn functions_of_several_definitions_agree() {
    let text = "package p\nsize(x) := 1 if x == \"a\"\nsize(x) := count(x) if { startswith(x, \"a\") }\ndeny contains y if { some x in input.xs; y := size(x) }";
    let (interpreted, quick) = both(text, r#"{"xs": ["a", "abc", "b"]}"#);
    assert_eq!(interpreted.unwrap().to_string(), "[1,3]");
    assert_eq!(quick.unwrap().to_string(), "[1,3]");
}

#[test]
fn disagreement_ends_the_trust() {
    let mut engine = quick("package p\ndeny contains \"a\" if input.a");
    let other = quick("package p\ndeny contains \"b\" if input.a");
    engine.quick = other.quick;
    engine.set_input(Value::from_json_str(r#"{"a": true}"#).unwrap());
    assert_eq!(engine.eval("data.p.deny", LIMIT).unwrap().to_string(), r#"["a"]"#);
    assert!(engine.quick.is_none());
}

#[test]
fn policy_of_what_a_plan_lacks_is_interpreted() {
    for body in ["x := 1 with input as 2", "xs := [x | x := 1 with data.a as 2]", "count(data) == 2"] {
        assert!(quick(&format!("package p\ndeny contains \"a\" if {{ {body} }}")).quick.is_none(), "{body}");
    }
}

#[test]
fn endless_policy_ends_in_time() {
    let text =
        "package p\nns := numbers.range(1, 5000)\ndeny contains \"a\" if { some a in ns; some b in ns; a * b < 0 }";
    let mut engine = quick(text);
    let (started, limit) = (std::time::Instant::now(), Duration::from_millis(100));
    engine.set_input(Value::new_object());
    assert_eq!(engine.eval("data.p.deny", limit), Err(crate::engine::EvalError::Budget(limit)));
    assert!(started.elapsed() < 20 * limit, "{:?}", started.elapsed());
}

/// Forty values each of which holds the one before twice, and forty more to compare them with.
fn doubled(name: &str) -> String {
    let rules = (1..=40).map(|at| format!("{name}{at} := [{name}{}, {name}{}]\n", at - 1, at - 1));
    format!("{name}0 := [input.x]\n{}", rules.collect::<String>())
}

#[test]
fn values_that_share_their_parts_for_ever_are_refused_before_they_are_compared() {
    let conditions = ["a40 == b40", "count({a40, b40}) == 1", "a40 in [b40]", "{a40: 1}[b40]"];
    for condition in conditions {
        let text = format!("package p\n{}{}deny contains \"a\" if {{ {condition} }}", doubled("a"), doubled("b"));
        let mut engine = quick(&text);
        engine.set_input(Value::from_json_str(r#"{"x": 1}"#).unwrap());
        let error = engine.eval("data.p.deny", LIMIT).unwrap_err().to_string();
        assert!(error.contains("parts"), "{condition}: {error}");
    }
}

#[test]
fn evaluation_may_not_make_more_than_its_share_of_memory() {
    let text = "package p\nns := numbers.range(1, 3000)\ndeny contains \"a\" if { count([[a, b] | some a in ns; some b in ns]) == 0 }";
    let mut engine = quick(text);
    engine.set_input(Value::new_object());
    let error = engine.eval("data.p.deny", Duration::from_secs(60)).unwrap_err().to_string();
    assert!(error.contains("64 MiB"), "{error}");
}
