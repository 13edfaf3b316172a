//! The last good pair of assignment and bundle on disk, the one before it, and their blobs. Owns the files; what may be
//! enforced is for `sync` and `enforcer` to say, who verify again whatever is read here.
//!
//! Crash safety. A new pair is written as `next.json` before it is enforced and renamed to `current.json` after:
//! - a crash before the write: `current.json` is enforced again, as before;
//! - a crash between write and rename, after it was compiled: `next.json` is tried first at start, so what was enforced
//!   stays enforced. `floor.json` is written in between and tells this from the next one;
//! - a crash while it was compiled: it may be the reason, so at start it is noted in `aside.json` and `current.json` is
//!   enforced. The hub may ask for it once more, for the agent may have been killed by chance; after a second time this
//!   version of the agent refuses it;
//! - a pair that turns out not to load is removed from `next.json`, and `current.json` was never touched.
//!
//! `floor.json` names the newest epoch that was ever enforced and outlives damage to the pairs: nothing older is taken
//! from the hub, even when the agent had to fall back to `previous.json`.

mod blobs;

use crate::disk;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use tracing::warn;
use writ_policy::Digest;
use writ_policy::wire::Desired;

pub use blobs::Blobs;

/// A pair as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The two statements, with their signatures.
    pub desired: Desired,
    /// When the last missing blob had arrived, Unix milliseconds.
    pub fetched_at: i64,
    /// The agent version whose self-test the files passed.
    pub tested_by: String,
}

/// What the newest epoch was about: an equal epoch must say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The newest epoch ever enforced.
    pub epoch: u64,
    /// Digest of its bundle statement.
    pub bundle: Digest,
    /// Digest of its settings.
    pub settings: Digest,
    /// Whose epochs these are: an agent that is enrolled elsewhere starts over.
    pub authority: String,
}

/// A bundle whose compilation ended the agent.
#[derive(Debug, Serialize, Deserialize)]
struct Aside {
    /// The index of its files.
    index: Digest,
    /// The agent version that it ended; another one may try again.
    version: String,
    times: u32,
}

/// Where a kept pair stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Written, and being made active when the process ended.
    Next,
    /// The last good one.
    Current,
    /// The one before.
    Previous,
}

impl Slot {
    fn file(self) -> &'static str {
        match self {
            Slot::Next => "next.json",
            Slot::Current => "current.json",
            Slot::Previous => "previous.json",
        }
    }
}

/// The folder of pairs and blobs. Cheap to clone; one loop writes.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    /// Contents by digest.
    pub blobs: Blobs,
}

impl Cache {
    /// The cache of a data folder.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let folder = data.join("cache");
        disk::create_folder(&folder)?;
        disk::list(&folder)?;
        Ok(Self { blobs: Blobs::open(&folder)?, folder })
    }

    /// Kept pairs in the order in which they are to be tried. What cannot be read is skipped, with a warning.
    pub fn kept(&self) -> Vec<(Slot, Saved)> {
        let slots = [Slot::Next, Slot::Current, Slot::Previous];
        slots.into_iter().filter_map(|slot| Some((slot, self.read(slot.file())?))).collect()
    }

    /// The newest epoch ever enforced.
    pub fn floor(&self) -> Option<Floor> {
        self.read("floor.json")
    }

    /// When the author signed the newest of their bundles that was enforced; 0 before the first.
    pub fn author_mark(&self) -> i64 {
        self.read("author.json").unwrap_or(0)
    }

    /// The author signed then what is enforced from now on.
    pub fn raise_author_mark(&self, signed_at: i64) -> anyhow::Result<()> {
        if signed_at <= self.author_mark() {
            return Ok(());
        }
        self.write("author.json", &signed_at)
    }

    /// Keeps a pair that is about to be enforced.
    pub fn stage(&self, saved: &Saved) -> anyhow::Result<()> {
        self.write(Slot::Next.file(), saved)
    }

    /// The pair in this slot cannot be enforced.
    pub fn discard(&self, slot: Slot) -> anyhow::Result<()> {
        disk::remove(&self.path(slot))
    }

    /// How often the bundle of these files ended this version of the agent.
    pub fn times_aside(&self, index: Digest, version: &str) -> u32 {
        let aside: Option<Aside> = self.read("aside.json");
        aside.filter(|aside| aside.index == index && aside.version == version).map_or(0, |aside| aside.times)
    }

    /// The staged pair, of the bundle of these files, ended the agent.
    pub fn put_aside(&self, index: Digest, version: &str) -> anyhow::Result<()> {
        let times = self.times_aside(index, version) + 1;
        self.write("aside.json", &Aside { index, version: version.into(), times })?;
        self.discard(Slot::Next)
    }

    /// The staged pair is enforced: it becomes the current one, and that the previous one.
    pub fn promote(&self, floor: &Floor) -> anyhow::Result<()> {
        self.write("floor.json", floor)?;
        if self.path(Slot::Current).exists() {
            disk::rename(&self.path(Slot::Current), &self.path(Slot::Previous))?;
        }
        disk::rename(&self.path(Slot::Next), &self.path(Slot::Current))
    }

    /// The current pair was signed anew without another content.
    pub fn renew(&self, saved: &Saved) -> anyhow::Result<()> {
        self.write(Slot::Current.file(), saved)
    }

    fn path(&self, slot: Slot) -> PathBuf {
        self.folder.join(slot.file())
    }

    fn write(&self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let content = serde_json::to_vec(value).expect("what is kept has only string keys");
        disk::write_atomic(&self.folder.join(name), &content, disk::PRIVATE)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let content = disk::read(&self.folder.join(name)).transpose()?;
        let read = content.and_then(|content| Ok(serde_json::from_slice(&content)?));
        read.inspect_err(|error| warn!(error = format!("{error:#}"), "{name} of the cache cannot be read")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_policy::sign::Signed;

    fn saved(name: &str) -> Saved {
        let signed = Signed { key: "k".into(), payload: name.into(), signature: "s".into() };
        Saved { desired: Desired { assignment: signed.clone(), bundle: signed }, fetched_at: 1, tested_by: "1".into() }
    }

    fn kept(cache: &Cache) -> Vec<(Slot, String)> {
        cache.kept().into_iter().map(|(slot, saved)| (slot, saved.desired.assignment.payload)).collect()
    }

    fn floor(epoch: u64) -> Floor {
        Floor { epoch, bundle: Digest::of("b"), settings: Digest::of("s"), authority: "a".into() }
    }

    #[test]
    fn promoted_pair_is_current_and_the_one_before_is_previous() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        for (epoch, name) in [(1, "one"), (2, "two"), (3, "three")] {
            cache.stage(&saved(name)).unwrap();
            cache.promote(&floor(epoch)).unwrap();
        }
        let again = Cache::open(folder.path()).unwrap();
        assert_eq!(kept(&again), [(Slot::Current, "three".into()), (Slot::Previous, "two".into())]);
        assert_eq!(again.floor(), Some(floor(3)));
    }

    #[test]
    fn crash_between_staging_and_promotion_keeps_what_was_about_to_be_enforced() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        cache.stage(&saved("one")).unwrap();
        cache.promote(&floor(1)).unwrap();
        cache.stage(&saved("two")).unwrap();
        assert_eq!(kept(&cache), [(Slot::Next, "two".into()), (Slot::Current, "one".into())]);
        cache.discard(Slot::Next).unwrap();
        assert_eq!(kept(&cache), [(Slot::Current, "one".into())]);
    }

    #[test]
    fn pair_that_is_put_aside_is_remembered_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        cache.stage(&saved("one")).unwrap();
        cache.promote(&floor(1)).unwrap();
        cache.stage(&saved("two")).unwrap();
        cache.put_aside(Digest::of("two"), "1").unwrap();
        assert_eq!(kept(&cache), [(Slot::Current, "one".into())]);
        cache.put_aside(Digest::of("two"), "1").unwrap();
        let again = Cache::open(folder.path()).unwrap();
        let times = |name: &str, version: &str| again.times_aside(Digest::of(name), version);
        assert_eq!([times("two", "1"), times("two", "2"), times("one", "1")], [2, 0, 0]);
    }

    #[test]
    fn damaged_file_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        for name in ["one", "two"] {
            cache.stage(&saved(name)).unwrap();
            cache.promote(&floor(1)).unwrap();
        }
        std::fs::write(folder.path().join("cache/current.json"), "{").unwrap();
        assert_eq!(kept(&cache), [(Slot::Previous, "one".into())]);
    }
}
