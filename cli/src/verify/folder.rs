//! The folder that suites are read from. Nothing outside of it is read, links or not.

use anyhow::Context;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use writ_policy::SourceFile;
use writ_policy::source::{MAX_FILE_BYTES, MAX_FILES};

/// A root, and what of it was asked for.
#[derive(Debug)]
pub(super) struct Folder {
    /// Resolved.
    root: PathBuf,
    /// As the user wrote it.
    shown: PathBuf,
    /// Below the root; a folder or one file.
    asked: PathBuf,
    is_file: bool,
}

impl Folder {
    /// The folder or file of this argument, below `root` when one is given.
    pub(super) fn open(path: &Path, root: Option<&Path>) -> anyhow::Result<Self> {
        let text = path.to_string_lossy();
        let path = Path::new(text.strip_suffix("...").map_or(&*text, |folder| folder.trim_end_matches('/')));
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        anyhow::ensure!(path.exists(), "{} does not exist", path.display());
        let (resolved, is_file) = (path.canonicalize()?, path.is_file());
        let folder = if is_file { path.parent().unwrap_or(path) } else { path };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let shown = root.unwrap_or(folder).to_owned();
        let root = shown.canonicalize().with_context(|| format!("could not read {}", shown.display()))?;
        let asked = resolved.strip_prefix(&root);
        let asked = asked.with_context(|| format!("{} is outside of {}", path.display(), shown.display()))?.to_owned();
        Ok(Self { root, shown, asked, is_file })
    }

    /// Whether one file was named.
    pub(super) fn is_named(&self) -> bool {
        self.is_file
    }

    /// A path below the root as the user would write it.
    pub(super) fn shown(&self, path: &str) -> String {
        self.shown.join(path).to_string_lossy().trim_start_matches("./").to_owned()
    }

    /// Every YAML file of what was asked for, below the root, sorted.
    pub(super) fn yaml(&self) -> anyhow::Result<Vec<String>> {
        let mut found = vec![];
        if self.is_file {
            found.push(self.asked.clone());
        } else {
            self.walk(&self.asked, &mut found)?;
        }
        let mut paths: Vec<String> = found.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        paths.sort_unstable();
        Ok(paths)
    }

    fn walk(&self, below: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        for entry in fs::read_dir(self.root.join(below))? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, below.join(entry.file_name()));
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
            match (kind.is_dir(), kind.is_file() && is_yaml) {
                _ if is_hidden => {}
                (true, _) => self.walk(&path, found)?,
                (_, true) => found.push(path),
                _ => {}
            }
            anyhow::ensure!(found.len() <= MAX_FILES, "the folder holds more than {MAX_FILES} YAML files");
        }
        Ok(())
    }

    /// One file; the error is for people.
    pub(super) fn read(&self, path: &str) -> Result<SourceFile, String> {
        let file = self.root.join(path);
        let resolved = file.canonicalize().map_err(|_| format!("{} does not exist", self.shown(path)))?;
        if !resolved.starts_with(&self.root) {
            return Err(format!("{} leads outside of the folder that is verified", self.shown(path)));
        }
        let mut content = vec![];
        let opened = fs::File::open(&resolved).map(|file| file.take(MAX_FILE_BYTES as u64 + 1));
        let read = opened.and_then(|mut file| file.read_to_end(&mut content));
        read.map_err(|error| format!("could not read {}: {error}", self.shown(path)))?;
        SourceFile::new(path, &content).map_err(|finding| finding.to_string())
    }
}
