//! A line that begins with `(` begins a statement. The engine reads it as the arguments of a call of the line above;
//! a `;` at the end of that line keeps them apart.

use super::super::edit::Edit;
use super::super::token::{Kind, Token};

/// A `;` before each such parenthesis, at the end of the statement above it.
pub(crate) fn edits(source: &str, tokens: &[Token]) -> Vec<Edit> {
    let mut open = vec![];
    let mut edits = vec![];
    for (at, token) in tokens.iter().enumerate() {
        match token.text(source) {
            "(" if token.kind == Kind::Symbol => {
                let in_statements = matches!(open.last(), Some(&"{") | Some(&"["));
                if let Some(before) = at.checked_sub(1).map(|before| &tokens[before])
                    && in_statements
                    && token.starts_line
                    && before.ends_operand(source)
                {
                    edits.push(Edit::insert(before.range.end, ";"));
                }
                open.push("(");
            }
            opening @ ("{" | "[") if token.kind == Kind::Symbol => open.push(opening),
            ")" | "}" | "]" if token.kind == Kind::Symbol => drop(open.pop()),
            _ => {}
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::super::super::edit::apply;
    use super::super::super::token::tokens;

    fn rewritten(source: &str) -> String {
        apply(source, super::edits(source, &tokens(source).unwrap())).0
    }

    #[test]
    fn a_parenthesis_at_the_start_of_a_line_starts_a_statement() {
        assert_eq!(rewritten("r { input.a # why\n (1 + 1) == 2 }"), "r { input.a; # why\n (1 + 1) == 2 }");
        assert_eq!(rewritten("x := [y | y := a[i]\n(y > 1)]"), "x := [y | y := a[i];\n(y > 1)]");
    }

    #[test]
    fn a_parenthesis_that_continues_an_expression_stays() {
        for source in ["r { x := 1 +\n (2) }", "r { not\n (x) }", "f(a,\n (b))", "r { f(x) }", "r if\n(x)"] {
            assert_eq!(rewritten(source), source);
        }
    }
}
