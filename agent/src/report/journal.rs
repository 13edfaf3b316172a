//! The open batch on disk, a line per portion, so that a killed agent loses at most what it judged in the last blink.
//! Lines are not synced: they survive the process, not the power.

use super::batch::Batch;
use super::spool::Name;
use crate::disk;
use anyhow::Context;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The file of one open batch.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    /// Of whole lines.
    length: u64,
}

impl Journal {
    /// A new file, named by the report that the batch will become.
    pub(super) fn create(folder: &Path, boot: Uuid, sequence: u64) -> anyhow::Result<Self> {
        let path = folder.join(Name { boot, sequence }.journal());
        let file = OpenOptions::new().create_new(true).append(true).mode(disk::PRIVATE).open(&path);
        Ok(Self { file: file.with_context(|| format!("creating {}", path.display()))?, path, length: 0 })
    }

    /// Adds a portion.
    pub(super) fn append(&mut self, portion: &Batch) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(portion).expect("a batch has only string keys");
        line.push(b'\n');
        let written = self.file.write_all(&line);
        match written {
            Ok(()) => self.length += line.len() as u64,
            // What comes after a part of a line could not be read.
            Err(_) => self.file.set_len(self.length).with_context(|| format!("mending {}", self.path.display()))?,
        }
        written.with_context(|| format!("writing {}", self.path.display()))
    }

    /// The batch is closed and kept elsewhere.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        disk::remove(&self.path)
    }
}

/// The batch of a journal that an earlier process left; a line that was cut is where it ends.
pub(super) fn read(path: &Path) -> anyhow::Result<Batch> {
    let content = disk::read(path)?.unwrap_or_default();
    let portions = content.split(|byte| *byte == b'\n').map_while(|line| serde_json::from_slice(line).ok());
    let mut batch = Batch::default();
    portions.for_each(|portion| batch.merge(portion));
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_that_was_cut_is_where_the_batch_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), Uuid::nil(), 1).unwrap();
        let portion = Batch::of_dropped(2);
        journal.append(&portion).unwrap();
        journal.append(&portion).unwrap();
        journal.file.write_all(b"{\"failures\":[").unwrap();
        assert_eq!(read(&journal.path).unwrap().dropped, 4);
    }
}
