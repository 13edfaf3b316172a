//! Arguments of `writ source`.

use super::Hub;
use clap::{Args, Subcommand};
use writ_policy::Revision;

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Have the hub look at the source now
    Look(SourceLook),
    /// Vouch for a head that the hub holds: history was rewritten, or a commit before it is not signed
    Allow(SourceAllow),
}

#[derive(Debug, Args)]
pub(crate) struct SourceLook {
    #[command(flatten)]
    pub(crate) hub: Hub,
}

#[derive(Debug, Args)]
pub(crate) struct SourceAllow {
    /// Full id of the new head
    pub(crate) commit: Revision,
    #[command(flatten)]
    pub(crate) hub: Hub,
}
