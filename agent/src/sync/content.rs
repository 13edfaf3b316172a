//! The files of a bundle: from the cache where they are, from the hub where they are missing. Everything is bounded
//! before it is fetched and checked by digest after.

use crate::cache::Blobs;
use crate::disk;
use crate::hub::{Hub, HubError};
use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use writ_policy::author::ClassContent;
use writ_policy::bundle::{Index, IndexedFile, MAX_INDEX_BYTES};
use writ_policy::sign::Signed;
use writ_policy::source::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
use writ_policy::{Digest, SourceFile};

/// Blobs that are fetched at one time.
const FETCHES: usize = 8;

/// Why content could not be had from the hub.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The hub, on the way.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The content is not what a bundle may hold, or the disk does not work.
    #[error(transparent)]
    Content(#[from] anyhow::Error),
}

/// Makes sure that the index and all its blobs are in the cache.
pub async fn fetch(hub: &Hub, credential: &str, blobs: &Blobs, index: &Digest) -> Result<(), FetchError> {
    ensure_blob(hub, credential, blobs, index, MAX_INDEX_BYTES).await?;
    let index = load_index(blobs, index)?;
    let distinct: HashSet<(Digest, u64)> = index.files.iter().map(|file| (file.digest, file.bytes)).collect();
    futures::stream::iter(distinct)
        .map(Ok)
        .try_for_each_concurrent(FETCHES, |(digest, bytes)| async move {
            ensure_blob(hub, credential, blobs, &digest, bytes as usize).await
        })
        .await
}

/// The files as the index names them, from the cache alone.
pub fn load(blobs: &Blobs, index: &Digest) -> anyhow::Result<Arc<[SourceFile]>> {
    load_index(blobs, index)?.files.iter().map(|file| load_file(blobs, file)).collect()
}

/// Digests of the indexes that a statement names: a hub's names one, an author's also what each class is served.
pub fn indexes_of(signed: &Signed) -> Vec<Digest> {
    #[derive(serde::Deserialize)]
    struct Named {
        index: Digest,
        #[serde(default)]
        classes: BTreeMap<String, ClassContent>,
    }
    let named = serde_json::from_str::<Named>(&signed.payload);
    named
        .map(|named| named.classes.into_values().map(|class| class.index).chain([named.index]).collect())
        .unwrap_or_default()
}

/// Every blob that this index needs, itself included.
pub fn named(blobs: &Blobs, index: &Digest) -> HashSet<Digest> {
    let files = load_index(blobs, index).map(|index| index.files).unwrap_or_default();
    files.iter().map(|file| file.digest).chain([*index]).collect()
}

async fn ensure_blob(
    hub: &Hub,
    credential: &str,
    blobs: &Blobs,
    digest: &Digest,
    most: usize,
) -> Result<(), FetchError> {
    if blobs.find(digest)?.is_some() {
        return Ok(());
    }
    let content = hub.blob(credential, digest, most).await?;
    let blobs = blobs.clone();
    Ok(disk::blocking(move || blobs.save(&content)).await?)
}

fn load_index(blobs: &Blobs, digest: &Digest) -> anyhow::Result<Index> {
    let text = blobs.find(digest)?.with_context(|| format!("the index {digest} is missing"))?;
    let index: Index = serde_json::from_slice(&text).context("the bundle's index cannot be read")?;
    ensure!(index.format == 1, "the bundle's index has format {}, this agent reads 1", index.format);
    ensure!(index.files.len() <= MAX_FILES, "the bundle has {} files, more than {MAX_FILES}", index.files.len());
    let largest = index.files.iter().map(|file| file.bytes).max().unwrap_or(0);
    ensure!(largest <= MAX_FILE_BYTES as u64, "the bundle has a file of {largest} bytes");
    let total: u64 = index.files.iter().map(|file| file.bytes).sum();
    ensure!(total <= MAX_TOTAL_BYTES as u64, "the bundle has {total} bytes, more than {MAX_TOTAL_BYTES}");
    let sorted = index.files.windows(2).all(|pair| pair[0].path < pair[1].path);
    ensure!(sorted, "the bundle's index is not sorted or names a path twice");
    Ok(index)
}

fn load_file(blobs: &Blobs, file: &IndexedFile) -> anyhow::Result<SourceFile> {
    let content = blobs.find(&file.digest)?.with_context(|| format!("the content of {} is missing", file.path))?;
    SourceFile::new(&file.path, &content).map_err(|diagnostic| anyhow::anyhow!("{diagnostic}"))
}
