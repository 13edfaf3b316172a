//! Arguments of `writ break-glass`.

use super::{Hub, duration};
use clap::Args;
use std::time::Duration;
use writ_policy::{ClusterName, NamespaceName};

#[derive(Debug, Args)]
pub(crate) struct BreakGlass {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// The cluster; without one, what is open is listed
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<ClusterName>,
    /// The namespace; without one, the whole cluster
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) namespace: Option<NamespaceName>,
    /// For how long, at most 24h; it ends by itself
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, required_unless_present_any = ["end", "list"])]
    pub(crate) duration: Option<Duration>,
    /// Why; recorded and shown
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["end", "list"])]
    pub(crate) reason: Option<String>,
    /// Who asks, for the record
    #[arg(long, env = "USER", value_name = "NAME", default_value = "unknown")]
    pub(crate) by: String,
    /// End it now
    #[arg(long, requires = "cluster", conflicts_with_all = ["duration", "reason", "list"])]
    pub(crate) end: bool,
    /// List what is open
    #[arg(long, conflicts_with_all = ["cluster", "duration", "reason"])]
    pub(crate) list: bool,
}
