//! Takes what was counted a moment ago into the sums that pages read. Pages add what waits, so that a hub which cannot fold
//! for a while answers slower, and never wrongly.

use crate::app::App;
use crate::store;
use tokio_util::sync::CancellationToken;

/// Counts that may have left their places behind: whoever reads what waits walks over them.
const UNTIDY: usize = 20_000;

/// Folds every few seconds until told to stop.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    let (mut works, mut next, mut untidy) = (true, 0, 0);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(app.store.gathers_for()) => {}
        }
        match all(&app, &mut next, &mut untidy).await {
            Ok(()) => works = true,
            Err(error) if std::mem::replace(&mut works, false) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "recent counts cannot be folded into sums; pages add them up until they can");
            }
            Err(_) => {}
        }
    }
}

/// A piece at a time: reports are written between two of them.
async fn all(app: &App, next: &mut i64, untidy: &mut usize) -> store::Result<()> {
    let most = app.store.most_folded();
    loop {
        let folded = app.store.fold(most, *next).await?;
        *next = folded.next;
        *untidy += folded.rows;
        if *untidy > UNTIDY {
            *untidy = 0;
            app.store.tidy_recent().await?;
        }
        if (folded.rows as i64) < most {
            return Ok(());
        }
    }
}
