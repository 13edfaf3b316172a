//! What the hub keeps in its data folder besides the database: the signing key, and the lock that keeps a second hub
//! out. The key is made at the first start and is the identity that agents trust: lose it and they enroll anew. It is
//! replaced by `rotate`.

use anyhow::{Context, ensure};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use writ_policy::sign::SigningKey;

/// The data folder, locked while this lives.
#[derive(Debug)]
pub struct Keep {
    folder: PathBuf,
    _lock: File,
}

impl Keep {
    /// The name of the embedded database in the folder.
    pub const DATABASE: &str = "hub.db";
    /// The name of the signing key in the folder.
    pub const KEY: &str = "hub.key";

    /// Opens the folder, makes it when it is not there, and locks it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.with_context(|| format!("the data folder {} cannot be written", folder.display()))?;
        ensure!(lock.try_lock().is_ok(), "another hub already uses the data folder {}", folder.display());
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join(Self::DATABASE)
    }

    /// Where the mirror of the source with this name is; the first one has none.
    pub fn mirror(&self, name: &str) -> PathBuf {
        self.folder.join(if name.is_empty() { "mirror.git".to_owned() } else { format!("mirror-{name}.git") })
    }

    /// The signing key in this file, or that of the folder, which is made when it is not there and may be.
    pub fn signing_key(&self, file: Option<&Path>, may_make: bool) -> anyhow::Result<SigningKey> {
        let may_make = may_make && file.is_none();
        let path = file.map_or_else(|| self.folder.join(Self::KEY), Path::to_owned);
        match File::open(&path) {
            Ok(file) => key_in(file, &path),
            Err(error) if may_make && error.kind() == std::io::ErrorKind::NotFound => make_key(&path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(error).with_context(|| {
                let path = path.display();
                format!("the signing key {path} is missing: copy `hub.key` of the other hubs on this database there")
            }),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
}

/// The signing key in this file.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    key_in(file, path)
}

fn key_in(mut file: File, path: &Path) -> anyhow::Result<SigningKey> {
    let mut pkcs8 = vec![];
    file.read_to_end(&mut pkcs8).with_context(|| format!("reading {}", path.display()))?;
    SigningKey::from_pkcs8(&pkcs8).with_context(|| format!("{} is not the hub's key", path.display()))
}

/// Gives the next key the place of the present one, which is gone then.
pub(crate) fn put_in_place(next: &Path, present: &Path) -> anyhow::Result<()> {
    let folder = present.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let moved = std::fs::rename(next, present).and_then(|()| File::open(folder)?.sync_all());
    moved.with_context(|| format!("replacing {}", present.display()))
}

/// Written beside and renamed, so that a crash leaves either no key or a whole one.
pub(crate) fn make_key(path: &Path) -> anyhow::Result<SigningKey> {
    let (key, pkcs8) = SigningKey::generate();
    let unfinished = path.with_extension("key.new");
    let write = || {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&unfinished)?;
        file.write_all(&pkcs8)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("writing {}", path.display()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::open(folder.path()).unwrap();
        let made = keep.signing_key(None, true).unwrap().public();
        assert_eq!(keep.signing_key(None, false).unwrap().public(), made);
        let mode = std::fs::metadata(folder.path().join("hub.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn key_that_openssl_made_is_one() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("made.key");
        let der = "MC4CAQAwBQYDK2VwBCIEIPZrukD0nrLXVkFOoF9iV5LsrTWe5GRKUi3+0gEhgQY8";
        std::fs::write(&file, STANDARD.decode(der).unwrap()).unwrap();
        Keep::open(folder.path()).unwrap().signing_key(Some(&file), false).unwrap();
    }

    #[test]
    fn second_hub_on_the_same_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _keep = Keep::open(folder.path()).unwrap();
        let error = Keep::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("another hub"), "{error}");
    }
}
