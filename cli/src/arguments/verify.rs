//! The arguments of `writ verify`.

use crate::output::Format;
use clap::Args;
use std::path::PathBuf;
use writ_policy::suite::Filter;

pub(crate) const VERIFY_CODES: &str = "\
Exit codes:
  0  every case ended as its author wanted it
  1  a case did not, a suite cannot be read, or there is none
  2  wrong arguments

Examples:
  writ verify library/...                       every suite below a folder
  writ verify --run 'required-labels//missing'  cases like `missing` of tests like `required-labels`
  writ verify --format junit > verify.xml       for a CI server";

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Suites, or folders that hold some at any depth; Gatekeeper's `folder/...` is the same as `folder`
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run only tests or cases whose name matches; `TEST//CASE` asks for both
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true, value_parser = Filter::new)]
    pub(crate) run: Filter,
    /// Folder that no path of a suite leaves [default: each folder that is named, or the folder of the suite]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Judge by the interpreter alone, not by plans where both agree
    #[arg(long)]
    pub(crate) interpreter: bool,
    /// How to write what was found
    #[arg(long, short = 'o', alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
}
