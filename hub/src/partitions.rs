//! Keeps partitions ahead of the days that need them. SQLite has none.

use crate::app::App;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(3_600);
const RETRY: Duration = Duration::from_secs(60);

/// Looks every hour until told to stop.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    loop {
        let pause = match app.store.make_partitions(app.now()).await {
            Ok(made) => {
                if made > 0 {
                    tracing::info!(made, "made {made} partitions for the days to come");
                }
                INTERVAL
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "partitions could not be made; rows go into the rest until they can");
                RETRY
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}
