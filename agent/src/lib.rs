//! The agent of one cluster: a validating admission webhook that decides with the last good bundle it verified, hub
//! reachable or not. [`run`] wires the loops; each module says what it owns.

pub mod agent;
pub mod alone;
pub mod audit;
pub mod author;
pub mod backoff;
pub mod break_glass;
pub mod cache;
pub mod certificate;
pub mod check;
pub mod clock;
pub mod config;
pub mod disk;
pub mod enforcer;
pub mod enroll;
pub mod fatal;
pub mod follow;
pub mod health;
pub mod hub;
pub mod identity;
pub mod kubernetes;
pub mod log;
pub mod metrics;
pub mod namespaces;
pub mod objects;
pub mod process;
pub mod registered;
pub mod registry;
pub mod renew;
pub mod report;
pub mod server;
pub mod share;
pub mod status;
pub mod sync;
pub mod tell;
pub mod tls;
pub mod wanted;
pub mod weakened;
pub mod webhook;

pub use agent::run;
pub use config::Config;
pub use process::main_with;

/// An error with its causes, as one line of a log.
pub(crate) fn log_chain(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
