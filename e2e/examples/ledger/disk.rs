//! A small file system of its own, so that it can be full. Only root may mount one; without it no disk is ever full.

use anyhow::{Context, ensure};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Unmounted when dropped, and with whoever is in it.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Empty; none where it cannot be mounted.
    pub(crate) fn new(bytes: u64) -> anyhow::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        if std::fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(None);
        }
        let size = format!("size={bytes},mode=0755");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "writ-ledger"]).arg(folder.path()).output()?;
        if !mounted.status.success() {
            return Ok(None);
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        Ok(Some(Self { folder }))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Nothing can be written for so long.
    pub(crate) async fn full(&self, pause: Duration) -> anyhow::Result<()> {
        self.fill()?;
        tokio::time::sleep(pause).await;
        self.free()
    }

    /// Nothing can be written from now on.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.filler())?;
        for size in [1 << 20, 4_096, 1] {
            let block = vec![1; size];
            while file.write_all(&block).is_ok() {}
        }
        Ok(())
    }

    /// There is room again.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.filler()).context("freeing the disk")
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = || {
            let status = Command::new("umount").arg("--lazy").arg(self.folder.path()).status()?;
            ensure!(status.success(), "umount ended with {status}");
            anyhow::Ok(())
        };
        let _ = unmounted();
    }
}
