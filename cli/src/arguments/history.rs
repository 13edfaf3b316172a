//! Arguments of the commands that read a hub's history.

use super::{Hub, StatusFormat};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Violations {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// Only those of this cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Only those in this namespace; '' for cluster-scoped objects
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Only those of the policy with this code
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Only those of this severity: LOW, MED or HIGH
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Option<String>,
    /// Only those with this action: deny, warn or dryrun
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Option<String>,
    /// Those that are fixed instead of those that are open
    #[arg(long)]
    pub(crate) fixed: bool,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: StatusFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Changes {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// A commit that was served, or a day such as 2026-11-21 [default: the commit that is served]
    #[arg(long, value_name = "COMMIT_OR_DAY")]
    pub(crate) since: Option<String>,
    /// What is compared
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: Subject,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: StatusFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Evaluations of policies
    #[default]
    Policy,
    /// Reviews in namespaces
    Namespace,
    /// Reviews in clusters
    Cluster,
}

impl Subject {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Subject::Policy => "policy",
            Subject::Namespace => "namespace",
            Subject::Cluster => "cluster",
        }
    }
}
