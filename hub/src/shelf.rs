//! What thousands of agents fetch at the same moment, kept in memory: the newest blobs, and which of them belong to a
//! bundle. An agent is given what is in the bundle that its cluster is told, and nothing else.

use crate::store::{self, Store};
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex};
use writ_policy::Digest;
use writ_policy::bundle::{Index, MAX_INDEX_BYTES};

/// The most bytes of blobs that are kept.
const MOST_BYTES: usize = 16 << 20;
/// The most bundles whose blobs are known.
const MOST_BUNDLES: usize = 16;

/// Blobs, and bundles by the digest of their index.
#[derive(Debug, Default)]
pub struct Shelf {
    blobs: Mutex<Blobs>,
    bundles: Mutex<HashMap<Digest, Arc<HashSet<Digest>>>>,
}

#[derive(Debug, Default)]
struct Blobs {
    by_digest: HashMap<Digest, Bytes>,
    oldest_first: VecDeque<Digest>,
    bytes: usize,
}

impl Shelf {
    /// Whether the bundle with this index holds this blob; its index is one of them.
    pub async fn holds(&self, store: &Store, index: &Digest, blob: &Digest) -> store::Result<bool> {
        if index == blob {
            return Ok(true);
        }
        let known = self.bundles.lock().expect("no holder of the lock panics").get(index).cloned();
        let bundle = match known {
            Some(bundle) => bundle,
            None => {
                let bundle = Arc::new(self.read(store, index).await?);
                let mut bundles = self.bundles.lock().expect("no holder of the lock panics");
                if bundles.len() >= MOST_BUNDLES {
                    bundles.clear();
                }
                bundles.insert(*index, bundle.clone());
                bundle
            }
        };
        Ok(bundle.contains(blob))
    }

    async fn read(&self, store: &Store, index: &Digest) -> store::Result<HashSet<Digest>> {
        let Some(content) = self.blob(store, index).await? else { return Ok(HashSet::new()) };
        let mut text = String::new();
        let decoder = flate2::read::GzDecoder::new(&content[..]);
        let read = decoder.take(MAX_INDEX_BYTES as u64 + 1).read_to_string(&mut text);
        let index = read.ok().and_then(|_| serde_json::from_str::<Index>(&text).ok());
        Ok(index.map(|index| index.files.iter().map(|file| file.digest).collect()).unwrap_or_default())
    }

    /// The blob with this digest, compressed as it is stored.
    pub async fn blob(&self, store: &Store, digest: &Digest) -> store::Result<Option<Bytes>> {
        let kept = self.blobs.lock().expect("no holder of the lock panics").by_digest.get(digest).cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(content) = store.blob(digest).await?.map(Bytes::from) else { return Ok(None) };
        self.blobs.lock().expect("no holder of the lock panics").keep(*digest, content.clone());
        Ok(Some(content))
    }
}

impl Blobs {
    fn keep(&mut self, digest: Digest, content: Bytes) {
        if content.len() > MOST_BYTES / 4 || self.by_digest.contains_key(&digest) {
            return;
        }
        self.bytes += content.len();
        self.by_digest.insert(digest, content);
        self.oldest_first.push_back(digest);
        while self.bytes > MOST_BYTES {
            let Some(oldest) = self.oldest_first.pop_front() else { return };
            self.bytes -= self.by_digest.remove(&oldest).map_or(0, |content| content.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_blobs_give_way() {
        let mut blobs = Blobs::default();
        for number in 0..20_u8 {
            blobs.keep(Digest::of([number]), Bytes::from(vec![number; 1 << 20]));
        }
        assert!(blobs.bytes <= MOST_BYTES);
        assert!(!blobs.by_digest.contains_key(&Digest::of([0])) && blobs.by_digest.contains_key(&Digest::of([19])));
        blobs.keep(Digest::of("large"), Bytes::from(vec![0; MOST_BYTES]));
        assert!(!blobs.by_digest.contains_key(&Digest::of("large")));
    }
}
