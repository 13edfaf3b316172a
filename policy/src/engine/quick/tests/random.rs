//! Policies and inputs by chance: wherever the quick way has a value, the interpreter has the same.

use super::{Engine, LIMIT, Said, Value};
use crate::SourceFile;
use crate::engine::{EvalError, load};
use proptest::prelude::*;

/// What a rule may be made of. `@` is a name with a value, `$` a new one.
const STATEMENTS: [&str; 25] = [
    "$ := @",
    "$ := input.a",
    "$ := input.o.p",
    "$ := @.p",
    "$ := [@, input.a]",
    "$ := count(@)",
    "$ := f(@)",
    "$ := g(@)",
    "$ := w",
    "$ := @[_]",
    "$ := input.xs[_]",
    "some $ in input.xs",
    "$ := [each | some each in input.xs; each != @]",
    "$ := {each | each := input.xs[_]; f(each)}",
    "$ := {each | input.o[each]}",
    "$ := sprintf(\"%v-%v\", [@, input.b])",
    "$ := object.get(input.o, \"p\", @)",
    "@ == input.b",
    "@ != \"a\"",
    "not @ == input.a",
    "not f(@)",
    "g(@) > 1",
    "startswith(@, \"a\")",
    "h[@]",
    "input.o[$] == @",
];

const VALUES: [&str; 5] = ["@", "1", "\"a\"", "count(@)", "[@]"];
const INPUTS: [&str; 6] =
    ["\"a\"", "\"ab\"", "2", "null", "[\"a\", \"b\", 2, {\"p\": 1}]", "{\"p\": \"a\", \"q\": [1]}"];

/// Statements in order, each with the choice of what it refers to.
type Body = Vec<(usize, usize)>;

fn body() -> impl Strategy<Value = Body> {
    prop::collection::vec((0..STATEMENTS.len(), 0..8_usize), 0..5)
}

/// The body as text, and a name that has a value at its end. Rules call only what is before them, so nothing recurses.
fn written(body: &Body, first: &str, without: &[&str]) -> (String, String) {
    let mut names = vec![first.to_owned()];
    let mut text = String::new();
    let may_stand = |statement: &str| !without.iter().any(|call| statement.contains(call));
    let body = body.iter().filter(|(statement, _)| may_stand(STATEMENTS[*statement]));
    for (at, (statement, choice)) in body.enumerate() {
        let known = names[choice % names.len()].clone();
        text += &format!("    {}\n", STATEMENTS[*statement].replace('@', &known).replace('$', &format!("x{at}")));
        if STATEMENTS[*statement].contains('$') {
            names.push(format!("x{at}"));
        }
    }
    (text + "    true\n", names.pop().expect("there is a first name"))
}

/// Bodies and the choice of their value.
type Valued = Vec<(Body, usize)>;

fn policy((f, g, w, h, deny): (Vec<Body>, Valued, Valued, Vec<Body>, Vec<Body>)) -> String {
    let mut text = "package p\n".to_owned();
    for body in &f {
        text += &format!("f(x) if {{\n{}}}\n", written(body, "x", &["f(", "g(", " w", "h["]).0);
    }
    for (body, value) in &g {
        let statements = written(body, "x", &["g(", " w", "h["]).0;
        text += &format!("g(x) := {} if {{\n{statements}}}\n", VALUES[*value].replace('@', "x"));
    }
    for (body, value) in &w {
        let statements = written(body, "input.b", &[" w", "h["]).0;
        text += &format!("w := {} if {{\n{statements}}}\n", VALUES[*value].replace('@', "input.b"));
    }
    for body in &h {
        text += &format!("h contains input.a if {{\n{}}}\n", written(body, "input.a", &["h["]).0);
    }
    for body in &deny {
        let (statements, last) = written(body, "input.b", &[]);
        text += &format!("deny contains last if {{\n{statements}    last := [{last}]\n}}\n");
    }
    text
}

fn policies() -> impl Strategy<Value = String> {
    let some = |most| prop::collection::vec(body(), 1..most);
    let valued = || prop::collection::vec((body(), 0..VALUES.len()), 1..4);
    (some(3), valued(), valued(), some(3), some(4)).prop_map(policy)
}

fn inputs() -> impl Strategy<Value = String> {
    let any = || 0..INPUTS.len() + 1;
    let field = |name: &'static str, at: usize| INPUTS.get(at).map(|value| format!("\"{name}\": {value}"));
    // The interpreter errs where `some .. in` is given a text, where OPA finds nothing.
    let collection = 4..INPUTS.len() + 1;
    (any(), any(), any(), collection).prop_map(move |(a, b, o, xs)| {
        let fields = [field("a", a), field("b", b), field("o", o), field("xs", xs)];
        format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
    })
}

/// Whether the interpreter met a conflict. It may meet one in a rule that OPA, and the quick way, never come to: it
/// moves statements that others do not wait for to the end, and evaluates `h` before the key in `h[input.b]`.
fn stumbled(interpreted: &Result<Value, EvalError>) -> bool {
    matches!(interpreted, Err(EvalError::Failed(why)) if why.contains("multiple outputs"))
}

/// Whether the quick way said anything.
fn agrees(text: &str, inputs: &[String]) -> Result<bool, TestCaseError> {
    let file = SourceFile { path: "p.rego".into(), text: text.into() };
    let Ok(loaded) = load::load(&file, false) else { return Ok(false) };
    if load::check_together(std::slice::from_ref(&loaded)).iter().any(crate::Diagnostic::is_error) {
        return Ok(false);
    }
    let Ok(mut engine) = Engine::build([loaded].iter()) else { return Ok(false) };
    engine.quicken("data.p", &["deny"]);
    for input in inputs {
        engine.set_input(Value::from_json_str(input).expect("inputs are JSON"));
        let Some(quick) = &mut engine.quick else { return Ok(false) };
        if let Said::Value(found) = quick.eval("data.p.deny", LIMIT) {
            let interpreted = engine.interpret("data.p.deny", LIMIT);
            prop_assert!(
                interpreted == Ok(found.clone()) || stumbled(&interpreted),
                "{interpreted:?} {found}\n{text}\n{input}"
            );
        }
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn quick_values_are_the_interpreters(text in policies(), inputs in prop::collection::vec(inputs(), 8)) {
        agrees(&text, &inputs)?;
    }
}
