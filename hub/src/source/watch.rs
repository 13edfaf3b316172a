//! Tells when references of a local repository change. A remote one, or one that cannot be watched, is only polled.

use crate::repository::{Remote, references_of};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;

/// Watches while it lives.
#[derive(Debug)]
pub(super) struct Watcher {
    changed: Arc<Notify>,
    _watchers: Vec<RecommendedWatcher>,
}

impl Watcher {
    /// Watches those remotes that are folders of this machine.
    pub(super) fn start<'a>(remotes: impl Iterator<Item = &'a Remote>) -> Self {
        let changed = Arc::new(Notify::new());
        let watchers = remotes.filter_map(|remote| match remote {
            Remote::Url(_) => None,
            Remote::Path(path) => watch(path, changed.clone())
                .inspect_err(|error| {
                    let error = format!("{error:#}");
                    tracing::debug!(error, "the source cannot be watched, it is polled");
                })
                .ok(),
        });
        let watchers = watchers.collect();
        Self { changed, _watchers: watchers }
    }

    /// Waits until something changed since the last time.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

fn watch(repository: &Path, changed: Arc<Notify>) -> anyhow::Result<RecommendedWatcher> {
    let folder = references_of(repository)?;
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.map_or(true, |event| concerns_references(&event)) {
            changed.notify_one();
        }
    })?;
    // Folders, not files: git replaces files by renaming.
    watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    watcher.watch(&folder.join("refs/heads"), RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Reading is no change (the hub itself reads), and locks come before the change they announce.
fn concerns_references(event: &notify::Event) -> bool {
    let is_change = !matches!(event.kind, EventKind::Access(_));
    is_change && event.paths.iter().any(|path| is_reference(path))
}

fn is_reference(path: &Path) -> bool {
    let is_lock = path.extension().is_some_and(|extension| extension == "lock");
    let is_top = path.file_name().is_some_and(|name| name == "HEAD" || name == "packed-refs");
    !is_lock && (is_top || path.components().any(|part| part.as_os_str() == "heads"))
}
