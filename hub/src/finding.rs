//! A finding about a commit with the lines it is about, so that who reads it needs no checkout. The lines are the
//! repository's own, which everybody who may see the dashboard may see.

use serde::{Deserialize, Serialize};
use writ_policy::{Diagnostic, SourceFile};

/// How many findings of a commit are shown with their lines.
const MOST_EXCERPTS: usize = 50;
/// Lines before the one in question.
const CONTEXT: u32 = 2;
/// The longest part of a line that is shown, in characters.
const LONGEST: usize = 160;

/// A finding, as it is stored and told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, where, and how to mend it.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
    /// The lines, the last of which is in question; none when it is about no line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excerpt: Vec<ExcerptLine>,
}

/// A line, in the parts before, within and after what is in question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcerptLine {
    /// From 1.
    pub number: u32,
    /// All of it, where nothing of the line is in question.
    pub before: String,
    /// What is underlined.
    pub marked: String,
    /// The rest.
    pub after: String,
}

/// The findings with the lines of these files.
pub fn with_excerpts(diagnostics: Vec<Diagnostic>, files: &[SourceFile]) -> Vec<Finding> {
    let mut shown = 0;
    let find = |diagnostic: Diagnostic| {
        let file = files.iter().find(|file| file.path == diagnostic.path && diagnostic.line > 0);
        let excerpt = file.filter(|_| shown < MOST_EXCERPTS).map(|file| excerpt(file, &diagnostic)).unwrap_or_default();
        shown += usize::from(!excerpt.is_empty());
        Finding { diagnostic, excerpt }
    };
    diagnostics.into_iter().map(find).collect()
}

fn excerpt(file: &SourceFile, diagnostic: &Diagnostic) -> Vec<ExcerptLine> {
    let first = diagnostic.line.saturating_sub(CONTEXT).max(1);
    let lines = file.text.lines().skip(first as usize - 1).zip(first..=diagnostic.line);
    let mut excerpt: Vec<ExcerptLine> = lines.map(|(text, number)| plain(number, text)).collect();
    match excerpt.last_mut() {
        Some(last) if last.number == diagnostic.line => {
            let text = file.text.lines().nth(diagnostic.line as usize - 1).unwrap_or_default();
            *last = marked(text, diagnostic);
            excerpt
        }
        // The file is shorter than the finding says.
        _ => vec![],
    }
}

fn plain(number: u32, text: &str) -> ExcerptLine {
    ExcerptLine { number, before: visible(text.chars(), LONGEST), marked: String::new(), after: String::new() }
}

/// The line in question; of a long one the part around what is marked.
fn marked(text: &str, diagnostic: &Diagnostic) -> ExcerptLine {
    if diagnostic.column == 0 {
        return plain(diagnostic.line, text);
    }
    let column = diagnostic.column as usize - 1;
    let length = (diagnostic.length as usize).min(LONGEST / 2);
    let from = column.saturating_sub(LONGEST / 2);
    let mut before = visible(text.chars().skip(from).take(column - from), LONGEST);
    if from > 0 {
        before.insert(0, '…');
    }
    let marked = visible(text.chars().skip(column).take(length), LONGEST);
    let after = visible(text.chars().skip(column + length), LONGEST / 2);
    ExcerptLine { number: diagnostic.line, before, marked, after }
}

/// The characters that can be shown, and `…` when some are left out.
fn visible(mut text: impl Iterator<Item = char>, most: usize) -> String {
    let shown = |c: char| {
        if c == '\t' {
            ' '
        } else if c.is_control() {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut line: String = text.by_ref().take(most).map(shown).collect();
    if text.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: u32, column: u32, length: u32) -> Vec<String> {
        let file = SourceFile { path: "a.rego".into(), text: text.into() };
        let diagnostic = Diagnostic::error("a.rego", "no").at(line, column).spanning(length);
        let found = with_excerpts(vec![diagnostic], &[file]).remove(0);
        found.excerpt.iter().map(|l| format!("{} {}[{}]{}", l.number, l.before, l.marked, l.after)).collect()
    }

    #[test]
    fn the_line_in_question_is_marked_below_the_lines_before_it() {
        assert_eq!(shown("one\ntwo\n\tthree é x\nfour", 3, 8, 1), ["1 one[]", "2 two[]", "3  three [é] x"]);
        assert_eq!(shown("one", 1, 0, 1), ["1 one[]"]);
        assert_eq!(shown("one", 1, 9, 3), ["1 one[]"]);
        assert!(shown("one", 7, 1, 1).is_empty(), "a line that is not there");
    }

    #[test]
    fn long_lines_are_shown_around_the_mark() {
        let line = &shown(&format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000)), 1, 5_001, 1)[0];
        assert!(line.contains("a[X]b") && line.chars().count() < 200, "{line}");
        assert!(shown(&"\u{7}".repeat(9_000), 1, 1, 9_000)[0].chars().count() < 250);
    }
}
