//! A policies repository read from disk, by the rules by which the hub reads it from git: regular files only, plain
//! paths, bounded sizes. What is refused is a diagnostic with file and reason.

use anyhow::Context;
use std::fs;
use std::io::Read;
use std::path::Path;
use writ_policy::source::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, checked_path, is_relevant};
use writ_policy::{Diagnostic, SourceFile};

/// The files of a folder, and those that the hub would refuse.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// Sorted by path.
    pub(crate) files: Vec<SourceFile>,
    /// Sorted by path.
    pub(crate) refused: Vec<Diagnostic>,
    bytes: usize,
}

/// Reads the folder. An error is about the folder itself; a bad file in it is a diagnostic.
pub(crate) fn read(dir: &Path) -> anyhow::Result<Folder> {
    let mut folder = Folder::default();
    let shown = dir.display();
    anyhow::ensure!(dir.exists(), "{shown} does not exist");
    anyhow::ensure!(dir.is_dir(), "{shown} is not a folder; name the folder of the policies repository");
    read_into(&mut folder, dir, "").with_context(|| format!("could not read {shown}"))?;
    folder.files.sort_by(|a, b| a.path.cmp(&b.path));
    folder.refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(folder)
}

fn read_into(folder: &mut Folder, dir: &Path, prefix: &str) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_string_lossy());
        if is_hidden(&path) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            folder.refuse(&path, "a symbolic link is not read", "Commit the file itself in its place.");
        } else if kind.is_dir() {
            read_into(folder, &entry.path(), &format!("{path}/"))?;
        } else if kind.is_file() {
            folder.read_file(&entry.path(), &path).with_context(|| path.clone())?;
        }
        anyhow::ensure!(folder.files.len() <= MAX_FILES, "the folder holds more than {MAX_FILES} files");
        anyhow::ensure!(folder.bytes <= MAX_TOTAL_BYTES, "the files have more than {MAX_TOTAL_BYTES} bytes");
    }
    Ok(())
}

/// Dot files and folders are not policy: `.git`, `.github`, editors' leftovers.
fn is_hidden(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with('.') && name.len() > 1)
}

impl Folder {
    fn read_file(&mut self, file: &Path, path: &str) -> anyhow::Result<()> {
        if let Err(diagnostic) = checked_path(path) {
            self.refused.push(diagnostic);
            return Ok(());
        }
        if !is_relevant(path) {
            return Ok(());
        }
        let mut content = Vec::new();
        // One byte more than allowed is enough to be refused, however large the file is.
        fs::File::open(file)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut content)?;
        self.bytes += content.len();
        if content.len() > MAX_FILE_BYTES {
            let help = "Split the file, or keep it out of the repository.";
            let message = format!("the file has more than {MAX_FILE_BYTES} bytes");
            self.refused.push(Diagnostic::error(path, message).at(1, 1).help(help));
            return Ok(());
        }
        match SourceFile::new(path, &content) {
            Ok(file) => self.files.push(file),
            Err(diagnostic) => self.refused.push(diagnostic),
        }
        Ok(())
    }

    fn refuse(&mut self, path: &str, message: &str, help: &str) {
        self.refused.push(Diagnostic::error(path, message).help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_large_files_are_refused_and_dot_folders_are_not_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("policies/.cache")).unwrap();
        fs::write(dir.path().join("policies/a.rego"), "package writ.a\n").unwrap();
        fs::write(dir.path().join("policies/.cache/b.rego"), "package writ.b\n").unwrap();
        fs::write(dir.path().join("large.json"), vec![b' '; MAX_FILE_BYTES + 1]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link.rego")).unwrap();

        let folder = read(dir.path()).unwrap();

        let paths: Vec<_> = folder.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["policies/a.rego"]);
        let refused: Vec<_> = folder.refused.iter().map(ToString::to_string).collect();
        assert_eq!(
            refused,
            [
                "large.json:1:1: error: the file has more than 1048576 bytes",
                "link.rego: error: a symbolic link is not read"
            ]
        );
    }

    #[test]
    fn folder_that_is_not_there_is_named() {
        assert_eq!(read(Path::new("nowhere")).unwrap_err().to_string(), "nowhere does not exist");
    }
}
