//! Who should enforce what, as pure functions: what one cluster is told (`assignment`), how a revision goes from wave to
//! wave (`machine`), and whether policies do more harm than before (`rate`). Clock, clusters and rates are given; what is
//! read and recorded around them is `assign`.

pub mod assignment;
pub mod machine;
pub mod rate;

pub use assignment::{Cluster, STALE_AFTER_MS, next};
