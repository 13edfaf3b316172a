//! Deletes blobs that no revision needs any more. What a commit brings back is published anew, so a rollback finds all
//! of its files, however long they were gone.

use crate::app::App;
use anyhow::Context;
use flate2::read::GzDecoder;
use std::collections::HashSet;
use std::io::Read;
use writ_policy::Digest;
use writ_policy::bundle::{Index, MAX_INDEX_BYTES};

/// Blobs of one transaction.
const PIECE: usize = 500;

/// Deletes what nobody published since and no kept revision names; how many blobs.
pub async fn delete_unneeded(app: &App, before: i64) -> anyhow::Result<u64> {
    let old = app.store.old_blobs(before).await.context("reading old blobs")?;
    if old.is_empty() {
        return Ok(0);
    }
    let mut needed = HashSet::new();
    for digest in app.store.kept_indexes(before).await.context("reading kept revisions")? {
        needed.insert(digest);
        // One that is missing was cleaned away with its revision; it needs nothing.
        let Some(content) = app.store.blob(&digest).await? else { continue };
        let files = tokio::task::spawn_blocking(move || read(&content)).await?;
        needed.extend(files.with_context(|| format!("reading index {}", digest.short()))?);
    }
    let unneeded: Vec<Digest> =
        old.iter().filter_map(|digest| digest.parse().ok()).filter(|digest| !needed.contains(digest)).collect();
    let mut deleted = 0;
    for piece in unneeded.chunks(PIECE) {
        // Not while another hub publishes.
        let mut tx = app.begin_as_leader().await?;
        deleted += tx.delete_blobs(piece, before).await?;
        tx.commit().await?;
    }
    Ok(deleted)
}

fn read(content: &[u8]) -> anyhow::Result<Vec<Digest>> {
    let mut text = vec![];
    GzDecoder::new(content).take(MAX_INDEX_BYTES as u64 + 1).read_to_end(&mut text)?;
    let index: Index = serde_json::from_slice(&text)?;
    Ok(index.files.into_iter().map(|file| file.digest).collect())
}
