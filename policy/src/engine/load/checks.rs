//! What OPA's compiler refuses and the engine notices late, silently or by overflowing its stack.

mod arguments;
mod calls;
mod numbers;
mod recursion;
mod references;
mod safety;
mod scope;
mod symbols;
mod types;

use super::LoadedSource;
use crate::Diagnostic;
use symbols::Symbols;

pub(crate) use references::replaced_names;

/// All findings across the modules of one engine, in the order of their places.
pub(crate) fn check(sources: &[LoadedSource]) -> Vec<Diagnostic> {
    let symbols = Symbols::of(sources);
    let mut diagnostics = calls::check(sources, &symbols);
    diagnostics.extend(arguments::check(sources));
    diagnostics.extend(recursion::check(sources, &symbols));
    diagnostics.extend(references::check(sources, &symbols));
    diagnostics.extend(safety::check(sources, &symbols));
    diagnostics.extend(numbers::check(sources));
    diagnostics.extend(types::check(sources, &symbols));
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column, &a.message).cmp(&(&b.path, b.line, b.column, &b.message)));
    diagnostics.dedup();
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::check;
    use crate::SourceFile;

    /// Findings with their help, for a module in Rego v0 beside `package lib` with `f(x)` and `limit`.
    fn found(rules: &str) -> Vec<String> {
        let files = [
            ("a.rego", format!("package p\nimport data.lib\n{rules}")),
            ("lib.rego", "package lib\nf(x) = x\nlimit = 1".into()),
        ];
        let file = |(path, text): (&str, String)| SourceFile { path: path.into(), text: text.into() };
        let loaded: Vec<_> = files.into_iter().map(|named| load(&file(named), true).unwrap()).collect();
        let said = check(&loaded).into_iter();
        said.map(|finding| format!("{finding} | {}", finding.help.clone().unwrap_or_default())).collect()
    }

    #[test]
    fn calls_that_cannot_work_are_found_at_their_place() {
        for (rules, expected) in [
            (
                "r { starts_with(\"a\", \"b\") }",
                "a.rego:3:5: error: there is no function `starts_with` | Did you mean `startswith`?",
            ),
            ("r { lib.g(1) }", "a.rego:3:5: error: there is no function `lib.g` | Did you mean `lib.f`?"),
            (
                "g(x, [x]) = x",
                "a.rego:3:7: error: the argument `x` stands twice | Give each its own name and compare them in the body.",
            ),
            ("r { lib.f(1, 2, 3) }", "a.rego:3:5: error: `lib.f` takes 1 argument, not 3 | "),
            ("r { x := count([1], 2) }", "a.rego:3:10: error: `count` takes 1 argument, not 2 | "),
            (
                "r { lib.limit(1) }",
                "a.rego:3:5: error: `lib.limit` is a rule, not a function | Refer to it without parentheses.",
            ),
            (
                "r { http.send({}) }",
                "a.rego:3:5: error: `http.send` cannot be used: no policy may call the network | Put what it needs into the repository, or into replicated data.",
            ),
        ] {
            assert_eq!(found(rules), [expected]);
        }
        assert_eq!(
            found("r { lib.f(1, x); count([1], y); startswith(\"a\", \"a\"); print(1, 2, 3); x == y }"),
            [""; 0]
        );
    }

    #[test]
    fn numbers_that_opa_keeps_otherwise_are_found() {
        for (rules, expected) in [
            (
                "r = sprintf(\"%v\", [1e10])",
                "a.rego:3:20: error: `1e10` is kept as 10000000000 here, and OPA would print it otherwise | Write `10000000000`, which is the same number to both.",
            ),
            (
                "r { 0.1 + 2 > 1 }",
                "a.rego:3:5: error: `0.1` is no exact number, and OPA calculates with more digits | Calculate with whole numbers: `x * 8 / 10` for `x * 0.8`.",
            ),
            (
                "r { lib.limit / 3 * 100 > 29 }",
                "a.rego:3:5: warning: a quotient that is calculated with may differ from OPA's in its last digit | Divide last: `a * 100 / b` for `a / b * 100`.",
            ),
        ] {
            assert_eq!(found(rules), [expected]);
        }
        assert_eq!(
            found(
                "r { lib.limit > 0.1; 1e3 < 2.0; lib.limit * 0.5 > 1; lib.limit / 3 > 1; x := [0.3, 1000000000000000000000]; x[0] }"
            ),
            [""; 0]
        );
    }

    #[test]
    fn constants_that_a_builtin_does_not_take_are_found() {
        for (rules, expected) in [
            (
                "r { count(1) == 1 }",
                "a.rego:3:11: error: `count` takes no number | It takes: array, set, object, text.",
            ),
            ("r { startswith(\"a\", [\"a\"]) }", "a.rego:3:21: error: `startswith` takes no array | It takes: text."),
            ("r { concat({}, [\"a\"]) }", "a.rego:3:12: error: `concat` takes no object | It takes: text."),
            (
                "r { {} < set() }",
                "a.rego:3:5: error: sets and objects have another order in OPA | Compare what they hold, or `count`.",
            ),
        ] {
            assert_eq!(found(rules), [expected]);
        }
        assert_eq!(found("count(x) = x\nr { count(1) == 1; {1} == {1}; sum({1, 2}) == 3 }"), [""; 0]);
    }

    #[test]
    fn rules_that_reach_themselves_are_found() {
        assert_eq!(
            found("f(x) = y { y := f(x) }")[0].split(" | ").next(),
            Some("a.rego:3:1: error: `p.f` reaches itself: p.f -> p.f")
        );
        assert_eq!(found("a { b }\nb { c(1) }\nc(x) { data.p.a }").len(), 3);
        assert_eq!(found("a { x := data[_] }").len(), 1);
        assert_eq!(
            found("f(r) = 1 { r }\nr = f(1)\ns { t := 1; t > 0 }\nt { s }\nu[x] { some v; x := v }\nv { u[1] }"),
            [""; 0]
        );
    }

    #[test]
    fn references_that_lead_nowhere_are_warned_of() {
        assert_eq!(
            found("r { data.lib.limits }"),
            [
                "a.rego:3:5: warning: nothing defines `data.lib.limits`, so it is undefined | Check the spelling of the package and the rule."
            ]
        );
        assert_eq!(found("r { data.lib.limit; data.inventory.cluster; data.kubernetes.services }"), [""; 0]);
        assert_eq!(found("q { data.extra.x }\nr { q with data.extra as {} }"), [""; 0]);
    }
}
