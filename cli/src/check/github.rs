//! Workflow commands, which GitHub shows as annotations on the lines of a pull request.

use super::{Checked, count};
use std::path::Path;
use writ_policy::Diagnostic;

pub(super) fn render(checked: &Checked, dir: &Path) -> String {
    let mut lines: Vec<String> = checked.diagnostics.iter().map(|diagnostic| command(diagnostic, dir)).collect();
    let errors = count(checked.errors(), "error", "errors");
    lines.push(format!("{}, {errors}", count(checked.policies, "policy", "policies")));
    lines.join("\n")
}

fn command(diagnostic: &Diagnostic, dir: &Path) -> String {
    let level = if diagnostic.is_error() { "error" } else { "warning" };
    let path = dir.components().as_path().join(&diagnostic.path);
    let path = path.strip_prefix(".").unwrap_or(&path).to_string_lossy().into_owned();
    let mut place = format!("file={}", property(&path));
    if diagnostic.line > 0 {
        place.push_str(&format!(",line={}", diagnostic.line));
    }
    if diagnostic.column > 0 {
        place.push_str(&format!(",col={}", diagnostic.column));
    }
    let help = diagnostic.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    format!("::{level} {place}::{}", data(&format!("{}{help}", diagnostic.message)))
}

/// The escapes that the workflow commands prescribe; without them a file name could write a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_repository_cannot_write_a_command_of_its_own() {
        let diagnostic = Diagnostic::error("a,b.rego", "bad\n::error::x").at(3, 1);
        let line = command(&diagnostic, Path::new("."));
        assert_eq!(line, "::error file=a%2Cb.rego,line=3,col=1::bad%0A::error::x");
        assert!(command(&diagnostic, Path::new("policies/")).contains("file=policies/a%2Cb.rego"));
    }
}
