//! The arguments of `writ check` and `writ test`.

use crate::output::Format;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Folder of the policies repository
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// How to write what was found
    #[arg(long, short = 'o', alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Exit with 1 on warnings too
    #[arg(long)]
    pub(crate) fail_on_warn: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Folder of the policies repository
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Run only tests whose name contains this text
    #[arg(long, default_value = "")]
    pub(crate) filter: String,
    /// Run only tests whose name (data.package.test_rule) matches this regular expression
    #[arg(long, short, value_name = "REGEX")]
    pub(crate) run: Option<String>,
    /// How to write the results
    #[arg(long, short = 'o', alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Show which lines of the policies no test evaluates
    #[arg(long, short)]
    pub(crate) coverage: bool,
    /// Exit with 1 when fewer lines are covered, in percent
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) threshold: Option<f64>,
    /// Write the coverage to this file, in LCOV's format
    #[arg(long, value_name = "FILE")]
    pub(crate) lcov: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What the check and the tests of all policies together may take; the hub has limits of its own.
#[derive(Debug, Clone, Args)]
pub(crate) struct Limits {
    /// The longest that the check and all tests together may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = super::duration)]
    pub(crate) timeout: Duration,
    /// The most memory that they may take, in MiB of addresses
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    pub(crate) memory: u64,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "write a number from 0 to 100".to_owned())
}
