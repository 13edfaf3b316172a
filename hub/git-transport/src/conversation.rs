//! The bounds of one conversation with a remote: a deadline and a number of bytes, shared by all its requests, and the
//! small runtime that its blocking caller waits on. Also turns errors into text without secrets.

use crate::Options;
use anyhow::{anyhow, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One fetch, from listing the refs to the end of the pack.
pub(crate) struct Conversation {
    runtime: Runtime,
    deadline: Instant,
    timeout: Duration,
    max_bytes: u64,
    received: AtomicU64,
    shutdown: CancellationToken,
}

impl Conversation {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            deadline: Instant::now() + options.timeout,
            timeout: options.timeout,
            max_bytes: options.max_bytes,
            received: AtomicU64::new(0),
            shutdown: options.shutdown.clone(),
        }))
    }

    /// Waits for the future on this thread, until the deadline or the end of the process.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        self.runtime.block_on(async {
            tokio::select! {
                result = future => result,
                () = tokio::time::sleep_until(self.deadline) => {
                    bail!("the remote did not finish within {:?}", self.timeout)
                }
                () = self.shutdown.cancelled() => bail!("the process is ending"),
            }
        })
    }

    /// Counts what arrived; an error once it is too much.
    pub(crate) fn receive(&self, bytes: usize) -> anyhow::Result<()> {
        let received = self.received.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if received > self.max_bytes {
            bail!("the remote sent more than {} bytes", self.max_bytes);
        }
        Ok(())
    }
}

/// The whole chain as one line: without the secret, without control characters (libgit2 takes a C string).
pub(crate) fn scrubbed(error: &anyhow::Error, secret: Option<&str>) -> String {
    let mut text = format!("{error:#}");
    if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(2_000).collect()
}

/// What libgit2 is told when an action fails.
pub(crate) fn git_error(error: &anyhow::Error, secret: Option<&str>) -> git2::Error {
    git2::Error::new(git2::ErrorCode::GenericError, git2::ErrorClass::Net, scrubbed(error, secret))
}

/// What libgit2 is told when reading or writing fails.
pub(crate) fn io_error(error: &anyhow::Error, secret: Option<&str>) -> std::io::Error {
    std::io::Error::other(scrubbed(error, secret))
}

/// An error for a service that libgit2 asks for out of order.
pub(crate) fn out_of_order() -> anyhow::Error {
    anyhow!("libgit2 asked for a service before it listed the refs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_without_the_secret() {
        let error = anyhow!("bad\n\0 hunter2").context("asking with hunter2");
        assert_eq!(scrubbed(&error, Some("hunter2")), "asking with ***: bad   ***");
    }
}
