//! Diagnostics with the lines in question, as rustc shows them.

use super::{Checked, count};
use crate::terminal;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;
use writ_policy::{Diagnostic, SourceFile};

/// Everything found, then one line that sums it up.
pub(super) fn render(checked: &Checked) -> String {
    let mut text = diagnostics(checked, checked.diagnostics.iter());
    text.push_str(&summary(checked));
    text
}

/// These findings, each followed by an empty line.
pub(crate) fn diagnostics<'a>(checked: &Checked, found: impl Iterator<Item = &'a Diagnostic>) -> String {
    snippets(&checked.files, found)
}

/// These findings in the files that they are about.
pub(crate) fn snippets<'a>(files: &[SourceFile], found: impl Iterator<Item = &'a Diagnostic>) -> String {
    let renderer = if terminal::is_colourful() { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(terminal::width());
    found.map(|diagnostic| renderer.render(&[group(files, diagnostic)]) + "\n\n").collect()
}

fn group<'a>(files: &'a [SourceFile], diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = if diagnostic.is_error() { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(&diagnostic.message);
    let file = files.iter().find(|file| file.path == diagnostic.path);
    let place = file.and_then(|file| Some((file, span(&file.text, diagnostic)?)));
    let group = match place {
        Some((file, span)) => title.element(
            Snippet::source(file.text.as_ref()).path(&diagnostic.path).annotation(AnnotationKind::Primary.span(span)),
        ),
        None => title.element(origin(diagnostic)),
    };
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The place of a finding whose text cannot be shown: too large, or not UTF-8.
fn origin(diagnostic: &Diagnostic) -> Origin<'_> {
    let origin = Origin::path(&diagnostic.path);
    match (diagnostic.line, diagnostic.column) {
        (0, _) => origin,
        (line, 0) => origin.line(line as usize),
        (line, column) => origin.line(line as usize).char_column(column as usize),
    }
}

/// The bytes to underline; `None` when the finding is about the whole file or lies beyond its end.
fn span(text: &str, diagnostic: &Diagnostic) -> Option<Range<usize>> {
    let line_index = diagnostic.line.checked_sub(1)? as usize;
    let line_start: usize = text.split_inclusive('\n').take(line_index).map(str::len).sum();
    let line = text.get(line_start..)?.split('\n').next()?;
    if line_index >= text.split_inclusive('\n').count().max(1) {
        return None;
    }
    let Some(column) = diagnostic.column.checked_sub(1) else {
        let indent = line.len() - line.trim_start().len();
        return Some(line_start + indent..line_start + line.trim_end().len().max(indent));
    };
    let offset = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset);
    let (start, end) = (column as usize, column as usize + diagnostic.length as usize);
    Some(line_start + offset(start)..line_start + offset(end))
}

fn summary(checked: &Checked) -> String {
    let policies = count(checked.policies, "policy", "policies");
    let tests = count(checked.report.tests.len(), "test", "tests");
    let warnings = match checked.warnings() {
        0 => String::new(),
        warnings => format!(", {}", count(warnings, "warning", "warnings")),
    };
    if checked.is_ok() {
        return format!("{} {policies}, {tests}{warnings}", terminal::green("ok:"));
    }
    let errors = count(checked.errors(), "error", "errors");
    format!("{} {errors}{warnings}; the hub would record such a commit and not serve it", terminal::red("error:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(text: &str, line: u32, column: u32, length: u32) -> Option<&str> {
        let diagnostic = Diagnostic::error("a.rego", "x").at(line, column).spanning(length);
        span(text, &diagnostic).map(|span| &text[span])
    }

    #[test]
    fn columns_count_characters_and_stay_within_the_line() {
        assert_eq!(underlined("é = äöü\nnext", 1, 5, 3), Some("äöü"));
        assert_eq!(underlined("one\n  two\n", 2, 0, 1), Some("two"), "no column: the whole line");
        assert_eq!(underlined("one\ntwo", 1, 3, 99), Some("e"), "never into the next line");
        assert_eq!(underlined("one\n", 0, 0, 1), None, "no line: the whole file");
        assert_eq!(underlined("one\n", 9, 1, 1), None, "beyond the end");
        assert_eq!(underlined("", 1, 1, 1), Some(""));
    }
}
