//! Files of the repository's template, for tests and benches.

use std::path::{Path, PathBuf};
use writ_policy::SourceFile;

/// Everything that `writ init` lays down and Writ reads.
#[allow(dead_code, reason = "each user of this file needs a part of it")]
pub(crate) fn template() -> Vec<SourceFile> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies-repo-template"))
}

/// All relevant files below a folder.
pub(crate) fn read(root: &Path) -> Vec<SourceFile> {
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if writ_policy::source::is_relevant(&relative) {
                files.push(SourceFile::new(&relative, &std::fs::read(&path).unwrap()).unwrap());
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
