//! The files under test: everything that git knows or would add.

use std::path::{Path, PathBuf};
use writ_e2e::git::git;

/// One text file of the repository.
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    /// Lines with their numbers, without those that are only a comment.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim().starts_with("//"))
    }

    /// Production code: below a crate's `src`, without the modules that hold only tests.
    pub(super) fn is_source(&self) -> bool {
        self.path.contains("/src/") && !self.path.ends_with("tests.rs") && !self.path.contains("/tests/")
    }
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files whose name ends so; `""` for all that are text.
pub(super) fn files(ending: &str) -> Vec<File> {
    let list = git(&root(), &["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]).unwrap();
    let paths = list.lines().filter(|path| path.ends_with(ending));
    let read = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    paths.filter_map(|path| Some(File { path: path.to_owned(), text: read(path)? })).collect()
}

/// Fails with one line per finding.
pub(super) fn none_found(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Code lines of Rust files that hold the word and are not below one of the homes.
pub(super) fn outside(word: &regex::Regex, files: &[File], homes: &[&str]) -> Vec<String> {
    let strays = files.iter().filter(|file| !homes.iter().any(|home| file.path.starts_with(home)));
    let find = |file: &File| {
        let hits = file.code().filter(|(_, line)| word.is_match(line));
        hits.map(|(n, line)| format!("{}:{n}: {}", file.path, line.trim())).collect::<Vec<_>>()
    };
    strays.flat_map(find).collect()
}
