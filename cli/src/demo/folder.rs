//! The demo's folder: what lies where, and that one demo at a time uses it.

use anyhow::{Context, bail};
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `./writ-demo`. Everything that the demo writes is below it.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder, or takes up the one of an earlier demo.
    pub(crate) fn open(root: &Path) -> anyhow::Result<Self> {
        let advice = || format!("could not write to {}; choose another folder with --dir", root.display());
        for part in ["logs", "run", "agents", "namespaces", "reviews"] {
            fs::create_dir_all(root.join(part)).with_context(advice)?;
        }
        let lock = File::create(root.join("run/lock")).with_context(advice)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("a demo runs in {} already; stop it, or choose another folder with --dir", root.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(advice),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The policies repository.
    pub(crate) fn policies(&self) -> PathBuf {
        self.root.join("policies")
    }

    pub(crate) fn hub_data(&self) -> PathBuf {
        self.root.join("hub")
    }

    pub(crate) fn agent_data(&self, cluster: &str) -> PathBuf {
        self.root.join("agents").join(cluster)
    }

    /// Namespace objects, as agents read them.
    pub(crate) fn namespaces(&self) -> PathBuf {
        self.root.join("namespaces")
    }

    /// Reviews to send by hand.
    pub(crate) fn review(&self, name: &str) -> PathBuf {
        self.root.join("reviews").join(name)
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.root.join("logs").join(format!("{process}.log"))
    }

    /// Where a process says on which ports it listens.
    pub(crate) fn listen_file(&self, process: &str) -> PathBuf {
        self.root.join("run").join(format!("{process}.listen"))
    }

    pub(crate) fn token(&self, cluster: &str) -> PathBuf {
        self.root.join("run").join(format!("{cluster}.token"))
    }
}

/// Writes a file that only its owner may read.
pub(crate) fn write_secret(path: &Path, secret: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600).open(path)?.write_all(secret.as_bytes())
    };
    write().with_context(|| format!("could not write {}", path.display()))
}

/// Writes a file that anybody may read.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_demo_in_the_same_folder_is_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path()).unwrap();
        let error = Folder::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("a demo runs in") && error.contains("--dir"), "{error}");
        drop(first);
        assert!(Folder::open(dir.path()).is_ok());
    }

    #[test]
    fn folder_that_cannot_be_made_is_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Folder::open(&file.join("demo")).unwrap_err().to_string();
        assert!(error.starts_with("could not write to") && error.contains("--dir"), "{error}");
    }
}
