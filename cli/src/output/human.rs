//! Lines for people: what objects, with its place, then one line that counts.

use super::{Entry, Group, Place, Results, Status};
use crate::terminal;
use std::fmt::Write;

pub(super) fn render(results: &Results) -> String {
    let mut text = String::new();
    for group in &results.groups {
        let hidden = |entry: &Entry| results.hides_exempted && entry.status == Status::Exempted;
        for entry in group.in_order().filter(|entry| !hidden(entry)) {
            let _ = line(group, entry).map(|line| writeln!(text, "{line}"));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text + &counts(results)
}

fn line(group: &Group, entry: &Entry) -> Option<String> {
    let word = match entry.status {
        Status::Failed => terminal::red("FAIL"),
        Status::Warned => terminal::yellow("WARN"),
        Status::Exempted => terminal::dim("EXCP"),
        Status::Skipped => terminal::dim("SKIP"),
        Status::Passed => return None,
    };
    let file = group.file_of(entry);
    let mut line = word;
    for part in
        [place(file, &entry.place).as_str(), group.namespace.as_str(), entry.name.as_str(), entry.message.as_str()]
    {
        if !part.is_empty() {
            let _ = write!(line, " - {}", printable(part));
        }
    }
    if !entry.help.is_empty() {
        let _ = write!(line, "\n       {}", printable(&entry.help));
    }
    Some(line)
}

fn place(file: &str, place: &Place) -> String {
    match (file, place.line, place.column) {
        ("-", ..) => String::new(),
        (file, 0, _) => file.to_owned(),
        (file, line, 0) => format!("{file}:{line}"),
        (file, line, column) => format!("{file}:{line}:{column}"),
    }
}

/// Without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// `5 tests, 4 passed, 1 warning, 0 failures, 0 exceptions`.
pub(crate) fn counts(results: &Results) -> String {
    let number = |status| results.count(status);
    let many = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let all: usize = results.groups.iter().map(|group| group.entries.len()).sum();
    let mut text = format!(
        "{}, {} passed, {}, {}, {}",
        many(all, "test"),
        number(Status::Passed),
        many(number(Status::Warned), "warning"),
        many(number(Status::Failed), "failure"),
        many(number(Status::Exempted), "exception")
    );
    if number(Status::Skipped) > 0 {
        let _ = write!(text, ", {} skipped", number(Status::Skipped));
    }
    match (number(Status::Failed), number(Status::Warned)) {
        (0, 0) => terminal::green(&text),
        (0, _) => terminal::yellow(&text),
        _ => terminal::red(&text),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_have_place_and_rules_and_the_last_one_counts() {
        insta::assert_snapshot!(super::render(&super::super::samples::results()), @r#"
        FAIL - a,b.yaml:3:5 - main - no "owner" & <b>
        ::error::x�
               Set <it>.
        WARN - a,b.yaml - main - 50% used # soon
        EXCP - a,b.yaml - main - legacy
        SKIP - a_test.rego - test - todo_test_b - to do

        6 tests, 2 passed, 1 warning, 1 failure, 1 exception, 1 skipped
        "#);
    }
}
