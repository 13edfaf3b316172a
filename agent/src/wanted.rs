//! What is enforced, as far as those need to know who look at the cluster's objects: it changes when the content or the
//! settings do, not with every new signature.

use writ_policy::{Digest, Settings};

/// Equal when every verdict is.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The bundle's content.
    pub index: Digest,
    /// What the cluster was told.
    pub settings: Settings,
}
