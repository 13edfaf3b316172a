//! The Test Anything Protocol: one plan, one line per result.

use super::{Entry, Group, Results, Status, one_line};
use std::fmt::Write;

pub(super) fn render(results: &Results) -> String {
    let entries = results.groups.iter().flat_map(|group| group.in_order().map(move |entry| (group, entry)));
    let lines: Vec<_> = entries.collect();
    let mut text = format!("1..{}", lines.len());
    for (number, (group, entry)) in lines.into_iter().enumerate() {
        let _ = write!(text, "\n{}", line(number + 1, group, entry));
    }
    text
}

fn line(number: usize, group: &Group, entry: &Entry) -> String {
    let end = if matches!(entry.status, Status::Failed | Status::Warned) { "not ok" } else { "ok" };
    let message = if entry.message.is_empty() && entry.name.is_empty() { "SUCCESS" } else { &entry.message };
    let said = [group.file.as_str(), &group.namespace, &entry.name, message];
    let said: Vec<String> =
        said.iter().filter(|part| !part.is_empty() && **part != "-").map(|part| escaped(part)).collect();
    let directive = match entry.status {
        Status::Skipped => " # SKIP",
        _ => "",
    };
    format!("{end} {number} - {}{directive}", said.join(" - "))
}

/// A `#` would begin a directive.
fn escaped(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_result_is_one_numbered_line() {
        insta::assert_snapshot!(super::render(&super::super::samples::results()).replace('\u{1b}', "^"), @r#"
        1..6
        not ok 1 - a,b.yaml - main - no "owner" & <b> ::error::x^
        not ok 2 - a,b.yaml - main - 50% used \# soon
        ok 3 - a,b.yaml - main - legacy
        ok 4 - a,b.yaml - main - SUCCESS
        ok 5 - a_test.rego - test - todo_test_b - to do # SKIP
        ok 6 - a_test.rego - test - test_a
        "#);
    }
}
