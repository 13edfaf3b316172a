//! Rego that stands inside a YAML document, and the way from its lines back to the file's.

use crate::yaml::Node;
use crate::{Diagnostic, SourceFile};

/// One Rego source of a template.
#[derive(Debug, Clone)]
pub(crate) struct Embedded {
    /// The source under a path of its own, because one file may hold several.
    pub file: SourceFile,
    /// Whether it is Rego v0.
    pub v0: bool,
    /// The file that it stands in.
    path: String,
    /// Where it begins in that file.
    place: (u32, u32),
    /// Whether each line of the source is a line of the file: false for quoted and folded texts.
    by_line: bool,
    /// Lines of the source before the one at `place`.
    blank: u32,
}

impl Embedded {
    /// The text at this node. `label` tells it from others of the file.
    pub(crate) fn new(file: &SourceFile, node: &Node, label: &str, v0: bool) -> Self {
        let text = node.text().unwrap_or_default();
        let blank = text.lines().take_while(|line| line.trim().is_empty()).count();
        let mut lines = file.text.lines().skip(node.place.0.saturating_sub(1) as usize);
        let by_line = text.lines().skip(blank).all(|line| lines.next().is_some_and(|own| own.trim() == line.trim()));
        let source = SourceFile { path: format!("{}#{label}", file.path), text: text.into() };
        Self { file: source, v0, path: file.path.clone(), place: node.place, by_line, blank: blank as u32 }
    }

    /// The finding at its place in the file, when it is about this source.
    pub(crate) fn authors(&self, finding: Diagnostic) -> Diagnostic {
        if finding.path != self.file.path {
            return finding;
        }
        let (line, column) = match (self.by_line, finding.line) {
            (_, 0) | (false, _) => self.place,
            (true, line) => {
                let column = finding.column + self.place.1.saturating_sub(1);
                ((self.place.0 + line).saturating_sub(1 + self.blank), if finding.column == 0 { 0 } else { column })
            }
        };
        Diagnostic { path: self.path.clone(), line, column, ..finding }
    }
}
