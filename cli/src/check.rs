//! `writ check`: what the hub would say of a folder if it were committed. The check is the hub's own; this command reads
//! the files and shows what was found.

mod human;
mod json;
mod results;

pub(crate) use human::{diagnostics, snippets};
pub(crate) use results::path;

use crate::arguments::{Check, Limits};
use crate::exit::{DONE, FAILED, Outcome};
use crate::files::{self, Folder};
use crate::output::Format;
use crate::terminal;
use std::path::Path;
use writ_policy::{Diagnostic, SourceFile};
use writ_runtime::{SelfTest, SelfTestReport};

/// A checked folder, as every format shows it.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) files: Vec<SourceFile>,
    /// Sorted by path, line and column.
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) policies: usize,
    pub(crate) report: SelfTestReport,
}

pub(crate) async fn run(options: Check) -> Outcome {
    let checked = check(&options.dir, &options.limits).await?;
    let shown = match options.format {
        Format::Human => human::render(&checked),
        Format::Json => json::render(&checked)?,
        format => results::of(&checked, &options.dir).render(format)?,
    };
    terminal::say(&shown)?;
    let is_well = checked.is_ok() && !(options.fail_on_warn && checked.warnings() > 0);
    Ok(if is_well { DONE } else { FAILED })
}

/// Reads and checks a folder in a limited child process, so that a policy that overflows the stack or never ends is a
/// diagnostic too.
pub(crate) async fn check(dir: &Path, limits: &Limits) -> anyhow::Result<Checked> {
    let Folder { files, refused, .. } = files::read(dir)?;
    let self_test = SelfTest::new(Some(std::env::current_exe()?), limits.timeout, limits.memory << 20);
    let report = self_test.run(&files).await?;
    let mut diagnostics = [refused, report.check.diagnostics.clone()].concat();
    if report.check.is_ok() {
        let parts = self_test.classes(&report.check.fleet, &files).await?;
        diagnostics.extend(parts.err().unwrap_or_default().diagnostics);
    }
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    Ok(Checked { files, diagnostics, policies: report.check.policies.len(), report })
}

impl Checked {
    pub(crate) fn is_ok(&self) -> bool {
        self.errors() == 0
    }

    pub(crate) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
    }

    pub(crate) fn warnings(&self) -> usize {
        self.diagnostics.len() - self.errors()
    }
}

/// `1 policy`, `12 policies`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
