//! Arguments of `writ rollout`.

use super::{Hub, StatusFormat};
use clap::{Args, Subcommand};
use writ_policy::{ClusterName, Revision};

#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Show how far what is served is, wave by wave, and what happened
    Show(RolloutShow),
    /// Stop telling further clusters; those that have the revision keep it
    Halt(RolloutOrder),
    /// Go on, and accept what halted it
    Resume(RolloutOrder),
    /// Do not wait for the wave that is told now
    Skip(RolloutOrder),
    /// Wait for no wave longer than fleet.yaml says for urgent revisions
    Urgent(RolloutOrder),
    /// Keep a cluster at a revision, whatever is rolled out
    Pin(RolloutPin),
    /// Let a pinned cluster go with the others again
    Unpin(RolloutPin),
}

#[derive(Debug, Args)]
pub(crate) struct RolloutShow {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: StatusFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RolloutOrder {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// Why; recorded and shown
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Who asks, for the record
    #[arg(long, env = "USER", value_name = "NAME", default_value = "unknown")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct RolloutPin {
    /// Name of the cluster
    pub(crate) cluster: ClusterName,
    /// Full id of a commit that was served; what the cluster was told last when absent
    #[arg(long, value_name = "SHA")]
    pub(crate) revision: Option<Revision>,
    #[command(flatten)]
    pub(crate) order: RolloutOrder,
}
