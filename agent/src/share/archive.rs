//! A pair and its files as one compressed text: the pair on the first line, the index on the second, a file on each of
//! the others, all as JSON. Bounded both ways: what is packed by the room that there is, what is unpacked by what a
//! bundle may hold.

use crate::cache::{Blobs, Saved};
use crate::sync::content;
use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::de::DeserializeOwned;
use serde_json::de::IoRead;
use serde_json::{Deserializer, StreamDeserializer, Value};
use std::io::{Read, Take, Write};
use writ_policy::Digest;
use writ_policy::bundle::MAX_INDEX_BYTES;
use writ_policy::source::MAX_TOTAL_BYTES;

/// The most that an archive may become: as JSON a text can be twice as long.
const MAX_BYTES: u64 = 2 * (MAX_TOTAL_BYTES + MAX_INDEX_BYTES) as u64;

/// The pair with everything that its index names, in at most so many bytes.
pub(super) fn pack(saved: &Saved, blobs: &Blobs, index: &Digest, most: usize) -> anyhow::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(vec![], Compression::default());
    write(&mut packed, &serde_json::to_value(saved)?)?;
    let mut named: Vec<Digest> = content::named(blobs, index).into_iter().filter(|digest| digest != index).collect();
    named.sort();
    for digest in [*index].into_iter().chain(named) {
        let text = blobs.find(&digest)?.with_context(|| format!("the content {digest} is missing"))?;
        write(&mut packed, &Value::String(String::from_utf8(text).context("a file is not text")?))?;
        ensure!(packed.get_ref().len() <= most, "they are larger than the {most} bytes that there is room for");
    }
    let packed = packed.finish()?;
    ensure!(packed.len() <= most, "they are larger than the {most} bytes that there is room for");
    Ok(packed)
}

fn write(packed: &mut GzEncoder<Vec<u8>>, value: &Value) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *packed, value)?;
    Ok(packed.write_all(b"\n")?)
}

/// An archive that is read line by line.
pub(super) struct Unpacking<'a>(StreamDeserializer<'a, IoRead<Take<GzDecoder<&'a [u8]>>>, Value>);

impl<'a> Unpacking<'a> {
    pub(super) fn begin(packed: &'a [u8]) -> anyhow::Result<Self> {
        Ok(Self(Deserializer::from_reader(GzDecoder::new(packed).take(MAX_BYTES)).into_iter()))
    }

    /// The pair. What another replica's self-test found is not taken over.
    pub(super) fn saved(&mut self) -> anyhow::Result<Saved> {
        let saved: Saved = self.line()?.context("what is shared is empty")?;
        Ok(Saved { tested_by: String::new(), ..saved })
    }

    /// Keeps the index, which must be this one, and what it names; how many of those are missing.
    pub(super) fn save_all(&mut self, blobs: &Blobs, index: &Digest) -> anyhow::Result<usize> {
        let text: String = self.line()?.context("what is shared has no index")?;
        ensure!(Digest::of(&text) == *index, "the index that is shared is not the one that was signed");
        blobs.save(text.as_bytes())?;
        let mut missing = content::named(blobs, index);
        missing.remove(index);
        while let Some(text) = self.line::<String>()? {
            let named = missing.remove(&Digest::of(&text));
            ensure!(named, "a file that is shared is not one that was signed");
            blobs.save(text.as_bytes())?;
        }
        Ok(missing.len())
    }

    fn line<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        let Some(value) = self.0.next() else { return Ok(None) };
        let value = value.context("what is shared in the cluster is damaged")?;
        serde_json::from_value(value).map(Some).context("what is shared in the cluster is damaged")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use writ_policy::SourceFile;
    use writ_policy::bundle::Index;
    use writ_policy::sign::Signed;
    use writ_policy::wire::Desired;

    fn saved() -> Saved {
        let signed = Signed { key: "k".into(), payload: "p".into(), signature: "s".into() };
        Saved { desired: Desired { assignment: signed.clone(), bundle: signed }, fetched_at: 7, tested_by: "1".into() }
    }

    /// A cache with a bundle of two files, and its index.
    fn full(folder: &std::path::Path) -> (Cache, Digest) {
        let cache = Cache::open(folder).unwrap();
        let files =
            ["a.rego", "b.rego"].map(|name| SourceFile::new(name, format!("package {name}").as_bytes()).unwrap());
        let (_, index) = Index::build(&files);
        files.iter().for_each(|file| cache.blobs.save(file.text.as_bytes()).unwrap());
        cache.blobs.save(index.as_bytes()).unwrap();
        (cache, Digest::of(&index))
    }

    #[test]
    fn what_is_packed_is_unpacked_elsewhere() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (cache, index) = full(here.path());
        let packed = pack(&saved(), &cache.blobs, &index, 1 << 20).unwrap();
        let other = Cache::open(there.path()).unwrap();
        let mut unpacking = Unpacking::begin(&packed).unwrap();
        let found = unpacking.saved().unwrap();
        assert_eq!((found.fetched_at, found.tested_by.as_str()), (7, ""), "it is tested again where it is read");
        assert_eq!(unpacking.save_all(&other.blobs, &index).unwrap(), 0);
        assert_eq!(content::load(&other.blobs, &index).unwrap().len(), 2);
        let too_large = pack(&saved(), &cache.blobs, &index, 100).unwrap_err().to_string();
        assert!(too_large.contains("larger than the 100 bytes"), "{too_large}");
    }

    #[test]
    fn files_that_nobody_signed_and_damage_are_refused() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (cache, index) = full(here.path());
        let other = Cache::open(there.path()).unwrap();
        let packed = pack(&saved(), &cache.blobs, &index, 1 << 20).unwrap();
        let another = Digest::of("another");
        let mut unpacking = Unpacking::begin(&packed).unwrap();
        unpacking.saved().unwrap();
        let refused = unpacking.save_all(&other.blobs, &another).unwrap_err().to_string();
        assert!(refused.contains("not the one that was signed"), "{refused}");
        let mut unpacking = Unpacking::begin(&packed[..packed.len() / 2]).unwrap();
        let read = unpacking.saved().and_then(|_| unpacking.save_all(&other.blobs, &index));
        assert!(read.unwrap_err().to_string().contains("damaged"));
    }
}
