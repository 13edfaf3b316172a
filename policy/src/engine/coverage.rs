//! Which lines an engine evaluated, in the author's own lines. Only engines of `writ test --coverage` keep count.

use super::Engine;
use super::load::LoadedSource;
use std::collections::BTreeSet;

/// The lines of one module that hold expressions.
#[derive(Debug, Default, Clone)]
pub(crate) struct Lines {
    pub covered: BTreeSet<u32>,
    pub not_covered: BTreeSet<u32>,
}

impl Engine {
    /// Keeps count from now on.
    pub(crate) fn count_lines(&mut self) {
        self.inner.set_enable_coverage(true);
        self.unused.set_enable_coverage(true);
    }

    /// The lines of these modules that were evaluated since it is counted, and those that were not; none of a module that
    /// was not touched.
    pub(crate) fn lines<'a>(&self, sources: impl Iterator<Item = &'a LoadedSource>) -> Vec<(String, Lines)> {
        let Ok(report) = self.inner.get_coverage_report() else { return vec![] };
        let find = |source: &'a LoadedSource| {
            let file = report.files.iter().find(|file| file.path == source.path)?;
            let covered = author_lines(source, &file.covered);
            let not_covered = author_lines(source, &file.not_covered).difference(&covered).copied().collect();
            Some((source.path.clone(), Lines { covered, not_covered }))
        };
        sources.filter_map(find).collect()
    }
}

fn author_lines(source: &LoadedSource, lines: &BTreeSet<u32>) -> BTreeSet<u32> {
    let starts: Vec<usize> = std::iter::once(0).chain(source.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let author = |line: &u32| {
        let start = *starts.get(line.checked_sub(1)? as usize)?;
        let indent = source.text[start..].len() - source.text[start..].trim_start().len();
        Some(source.map.place(start + indent).0)
    };
    lines.iter().filter_map(author).collect()
}
