//! Takes SQLite's journal into the file beside the writer, so that no report waits for it.

use crate::app::App;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(1);

/// Every second until told to stop. What fails is left to the writer, which says so where it matters.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if let Err(error) = app.store.checkpoint().await {
            tracing::debug!(error = format!("{error:#}"), "the journal stays as it is for now");
        }
    }
}
