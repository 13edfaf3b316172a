//! Contents by digest. What is read is checked against its name, so damage shows as absence and is fetched again.

use crate::disk;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use tracing::warn;
use writ_policy::Digest;

/// One file per blob, named by its digest.
#[derive(Debug, Clone)]
pub struct Blobs(PathBuf);

impl Blobs {
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join("blobs");
        disk::create_folder(&folder)?;
        disk::list(&folder)?;
        Ok(Self(folder))
    }

    /// The content, if it is there and undamaged.
    pub fn find(&self, digest: &Digest) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(content) = disk::read(&self.path(digest))? else { return Ok(None) };
        if Digest::of(&content) == *digest {
            return Ok(Some(content));
        }
        warn!("blob {digest} of the cache is damaged");
        disk::remove(&self.path(digest))?;
        Ok(None)
    }

    /// Keeps a content under its digest.
    pub fn save(&self, content: &[u8]) -> anyhow::Result<()> {
        disk::write_atomic(&self.path(&Digest::of(content)), content, disk::PRIVATE)
    }

    /// Removes what no kept pair names.
    pub fn keep_only(&self, named: &HashSet<Digest>) -> anyhow::Result<()> {
        for name in disk::list(&self.0)? {
            if name.parse().is_ok_and(|digest| !named.contains(&digest)) {
                disk::remove(&self.0.join(name))?;
            }
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.0.join(digest.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_blob_counts_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let digest = Digest::of("content");
        blobs.save(b"content").unwrap();
        assert_eq!(blobs.find(&digest).unwrap().unwrap(), b"content");
        std::fs::write(blobs.path(&digest), "c0ntent").unwrap();
        assert!(blobs.find(&digest).unwrap().is_none());
        assert!(!blobs.path(&digest).exists());
    }

    #[test]
    fn blobs_that_nothing_names_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        blobs.save(b"one").unwrap();
        blobs.save(b"two").unwrap();
        blobs.keep_only(&HashSet::from([Digest::of("one")])).unwrap();
        assert!(blobs.find(&Digest::of("one")).unwrap().is_some());
        assert!(blobs.find(&Digest::of("two")).unwrap().is_none());
    }
}
