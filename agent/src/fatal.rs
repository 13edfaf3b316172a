//! How a request handler ends the process when going on makes no sense.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Raised at most once; later ones are the same end.
#[derive(Debug, Clone)]
pub struct Fatal(mpsc::Sender<anyhow::Error>);

impl Fatal {
    /// The handle, and the end that a task watches.
    pub fn new() -> (Self, mpsc::Receiver<anyhow::Error>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Ends the process with this error.
    pub fn raise(&self, error: anyhow::Error) {
        let _raised_before = self.0.try_send(error);
    }
}

/// Ends with the error that was raised, or at shutdown.
pub async fn watch(mut raised: mpsc::Receiver<anyhow::Error>, shutdown: CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        Some(error) = raised.recv() => Err(error),
        () = shutdown.cancelled() => Ok(()),
    }
}
