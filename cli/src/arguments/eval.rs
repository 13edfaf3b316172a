//! The arguments of `writ eval`. Names that Conftest has are Conftest's.

use super::label;
use crate::inputs::{NoParser, Parser};
use crate::output::Format;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub(crate) const EVAL_CODES: &str = "\
Exit codes:
  0  nothing failed (warnings are printed)
  1  something would be denied, could not be read or could not be judged; under --fail-on-warn: only warnings
  2  under --fail-on-warn: something failed; else wrong arguments

Examples:
  writ eval --policies policies deploy/              a folder of manifests
  helm template web chart | writ eval -              what Helm would apply
  kustomize build overlays/prod | writ eval --cluster-labels env=prod -
  writ eval --conftest --policy policy Dockerfile main.tf";

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// Files and folders to judge; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// How to write what was found
    #[arg(long, short = 'o', alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Exit with 1 on warnings, and with 2 on failures
    #[arg(long)]
    pub(crate) fail_on_warn: bool,
    /// Exit with 0 whatever was found
    #[arg(long)]
    pub(crate) no_fail: bool,
    /// Write nothing when all is well
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Read every file by this parser instead of the one that its name says
    #[arg(long, value_parser = parser)]
    pub(crate) parser: Option<Parser>,
    /// Pass over paths in folders that match this regular expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) ignore: Option<String>,

    /// Folder of the policies repository
    #[arg(long, value_name = "DIR", default_value = ".", help_heading = "Kubernetes objects")]
    pub(crate) policies: PathBuf,
    /// Label of the cluster whose settings apply, as fleet.yaml matches it; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, value_delimiter = ',', help_heading = "Kubernetes objects")]
    pub(crate) cluster_labels: Vec<(String, String)>,
    /// File or folder of objects that are in the cluster, e.g. its Namespaces; read by policies, not judged
    #[arg(long, value_name = "DIR", help_heading = "Kubernetes objects")]
    pub(crate) namespaces: Vec<PathBuf>,
    /// Namespace of objects that name none
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Kubernetes objects")]
    pub(crate) default_namespace: String,
    /// What is done with the objects
    #[arg(long, value_enum, ignore_case = true, default_value_t, help_heading = "Kubernetes objects")]
    pub(crate) operation: EvalOperation,
    /// Who does it
    #[arg(long, value_name = "NAME", default_value = "writ-eval", help_heading = "Kubernetes objects")]
    pub(crate) user: String,
    /// Group of the user; may be repeated
    #[arg(
        long = "group",
        value_name = "NAME",
        default_value = "system:authenticated",
        help_heading = "Kubernetes objects"
    )]
    pub(crate) groups: Vec<String>,

    /// Judge any configuration by Conftest's packages (deny, violation, warn) instead
    #[arg(long)]
    pub(crate) conftest: bool,
    /// File or folder of Rego packages; may be repeated
    #[arg(
        long,
        short,
        value_name = "PATH",
        default_value = "policy",
        value_delimiter = ',',
        help_heading = "With --conftest"
    )]
    pub(crate) policy: Vec<PathBuf>,
    /// Package to judge by; `*`, `?` and `[...]` match; may be repeated
    #[arg(
        long,
        short,
        value_name = "PACKAGE",
        default_value = "main",
        value_delimiter = ',',
        help_heading = "With --conftest"
    )]
    pub(crate) namespace: Vec<String>,
    /// Judge by every package
    #[arg(long, help_heading = "With --conftest")]
    pub(crate) all_namespaces: bool,
    /// Give all files to the packages as one input, a list of {path, contents}
    #[arg(long, help_heading = "With --conftest")]
    pub(crate) combine: bool,
    /// File or folder of YAML and JSON that packages read as `data`; may be repeated
    #[arg(long, short, value_name = "PATH", value_delimiter = ',', help_heading = "With --conftest")]
    pub(crate) data: Vec<PathBuf>,
    /// Which Rego the packages are written in
    #[arg(long, value_enum, ignore_case = true, default_value_t, help_heading = "With --conftest")]
    pub(crate) rego_version: RegoVersion,
    /// Name of standard input in what is written
    #[arg(long, value_name = "NAME")]
    pub(crate) stdin_filename: Option<String>,
    /// Do not write exceptions and exempted failures
    #[arg(long)]
    pub(crate) suppress_exceptions: bool,
    /// The longest that one rule may take on one configuration
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = super::duration, help_heading = "With --conftest")]
    pub(crate) rule_timeout: std::time::Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum EvalOperation {
    #[default]
    Create,
    Update,
    Delete,
}

impl EvalOperation {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            EvalOperation::Create => "CREATE",
            EvalOperation::Update => "UPDATE",
            EvalOperation::Delete => "DELETE",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RegoVersion {
    V0,
    #[default]
    V1,
}

fn parser(name: &str) -> Result<Parser, String> {
    let known = || {
        let names = Parser::value_variants().iter().filter_map(Parser::to_possible_value);
        names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    Parser::named(name).map_err(|error| match error {
        NoParser::Refused(name) => format!("{name} is not supported; convert the files to JSON or YAML first"),
        NoParser::Unknown => format!("no such parser; there are {}", known()),
    })
}
