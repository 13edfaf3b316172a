//! What was proved, one line a step, told as it happens.

use crate::terminal::{self, dim, green, red};

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    failed: u32,
}

impl Report {
    /// Tells a step and keeps whether it was as it should be.
    pub(super) fn step(&mut self, name: &str, is_good: bool, detail: impl AsRef<str>) -> anyhow::Result<()> {
        let verdict = if is_good { green("ok  ") } else { red("FAIL") };
        self.failed += u32::from(!is_good);
        terminal::say(&format!("  {verdict}  {name:<22}  {}", detail.as_ref()))?;
        Ok(())
    }

    /// A remark on the step before.
    pub(super) fn note(&self, text: &str) -> anyhow::Result<()> {
        Ok(terminal::say(&dim(&format!("{:32}{text}", "")))?)
    }

    pub(super) fn is_good(&self) -> bool {
        self.failed == 0
    }
}
