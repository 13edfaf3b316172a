//! How much of the policies the tests reach: measured when asked for, shown by file, and as LCOV for other tools.

use crate::arguments::Test;
use crate::check::path;
use crate::terminal;
use anyhow::Context;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::unit_test::coverage::{FileCoverage, coverage, total};

/// The longest that one test may take.
const PER_TEST: Duration = Duration::from_secs(10);

/// Of every policy and library.
#[derive(Debug)]
pub(super) struct Coverage {
    /// Sorted by path.
    pub(super) files: Vec<FileCoverage>,
}

/// The coverage, when an option asks for it; counting makes tests slower.
pub(super) fn measure(options: &Test, files: &[SourceFile]) -> anyhow::Result<Option<Coverage>> {
    if !options.coverage && options.threshold.is_none() && options.lcov.is_none() {
        return Ok(None);
    }
    let files = files.to_vec();
    let thread = std::thread::Builder::new().name("coverage".into()).stack_size(writ_policy::EVALUATION_STACK_BYTES);
    let measured = thread.spawn(move || coverage(&files, PER_TEST))?.join();
    let files = measured.map_err(|_| anyhow::anyhow!("measuring the coverage crashed"))?;
    let coverage = Coverage { files };
    if let Some(lcov) = &options.lcov {
        let text = coverage.lcov(|file| path(&options.dir, file));
        std::fs::write(lcov, text).with_context(|| format!("could not write {}", lcov.display()))?;
    }
    Ok(Some(coverage))
}

impl Coverage {
    pub(super) fn percent(&self) -> f64 {
        total(&self.files)
    }

    /// A line per file with the lines that no test evaluates, and one for all.
    pub(super) fn render(&self, threshold: Option<f64>) -> String {
        let mut text = String::from("coverage:\n");
        for file in &self.files {
            let missing = ranges(&file.not_covered);
            let missing = if missing.is_empty() { missing } else { format!("  not covered: {missing}") };
            let _ = writeln!(text, "{:>6.1} %  {}{missing}", file.percent(), file.path);
        }
        let all = format!("{:>6.1} %  of all lines", self.percent());
        let wanted = threshold.filter(|least| self.percent() < *least);
        match wanted {
            Some(least) => text + &terminal::red(&format!("{all}, less than {least} %")) + "\n",
            None => text + &all + "\n",
        }
    }

    fn lcov(&self, path: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for file in &self.files {
            let _ = writeln!(text, "SF:{}", path(&file.path));
            for line in file.covered.union(&file.not_covered) {
                let _ = writeln!(text, "DA:{line},{}", u8::from(file.covered.contains(line)));
            }
            let found = file.covered.len() + file.not_covered.len();
            let _ = writeln!(text, "LF:{found}\nLH:{}\nend_of_record", file.covered.len());
        }
        text
    }
}

/// `3-5, 9`.
fn ranges(lines: &BTreeSet<u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = vec![];
    for line in lines {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => ranges.push((*line, *line)),
        }
    }
    let shown =
        ranges.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_follow_each_other_are_one_range() {
        assert_eq!(ranges(&[3, 4, 5, 9].into()), "3-5, 9");
        assert_eq!(ranges(&BTreeSet::new()), "");
    }

    #[test]
    fn lcov_has_a_record_per_file() {
        let file = FileCoverage { path: "a.rego".into(), covered: [2].into(), not_covered: [3].into() };
        let coverage = Coverage { files: vec![file] };
        assert_eq!(coverage.lcov(str::to_owned), "SF:a.rego\nDA:2,1\nDA:3,0\nLF:2\nLH:1\nend_of_record\n");
        assert!((coverage.percent() - 50.0).abs() < f64::EPSILON);
    }
}
