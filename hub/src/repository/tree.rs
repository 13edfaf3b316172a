//! A commit's tree as policy files. Only regular files are read, sizes are known before contents, and everything that
//! is refused is named with its reason, so that an author mends it in one go.

use super::mirror::header;
use anyhow::Context;
use git2::{ObjectType, Odb, Oid, Repository, TreeEntry};
use std::collections::HashMap;
use writ_policy::source::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, checked_path, is_relevant};
use writ_policy::{Diagnostic, SourceFile};

/// The largest tree object, the most entries in all, the deepest folder.
const MAX_TREE_BYTES: usize = 4 << 20;
const MAX_ENTRIES: usize = 100_000;
const MAX_DEPTH: usize = 32;
/// The largest file that is not read but lies beside the policies.
const MAX_OTHER_BYTES: usize = 16 << 20;
/// After so many findings the rest is left out.
const MAX_DIAGNOSTICS: usize = 50;

const REGULAR: [i32; 3] = [0o100_644, 0o100_755, 0o100_664];
const FOLDER: i32 = 0o040_000;
const SYMLINK: i32 = 0o120_000;
const SUBMODULE: i32 = 0o160_000;

/// The files of a commit, or everything that keeps them from being read.
pub type Read = Result<Vec<SourceFile>, Vec<Diagnostic>>;

/// The files below the folder. Paths stay relative to the repository.
pub(super) fn read(repository: &Repository, root: Oid, folder: &str) -> anyhow::Result<Read> {
    let folder = folder.trim_end_matches('/');
    let mut reader = Reader::new(repository)?;
    match reader.find(root, folder)? {
        Some(tree) => reader.folder(tree, folder, 0)?,
        None => reader
            .refuse(Diagnostic::error(folder, "the folder is not in this commit").help(
                "The hub reads policies below this folder (--path). Bring it back, or tell the hub another one.",
            )),
    }
    if reader.diagnostics.is_empty() {
        reader.files.sort_by(|a, b| a.path.cmp(&b.path));
        return Ok(Ok(reader.files));
    }
    reader.diagnostics.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Err(reader.diagnostics))
}

struct Reader<'r> {
    repository: &'r Repository,
    odb: Odb<'r>,
    files: Vec<SourceFile>,
    diagnostics: Vec<Diagnostic>,
    /// Paths without regard to case, to notice two that one file system would take for one.
    folded: HashMap<String, String>,
    entries: usize,
    bytes: usize,
}

impl<'r> Reader<'r> {
    fn new(repository: &'r Repository) -> anyhow::Result<Self> {
        let (files, diagnostics, folded) = (vec![], vec![], HashMap::new());
        Ok(Self { repository, odb: repository.odb()?, files, diagnostics, folded, entries: 0, bytes: 0 })
    }

    /// The tree of a folder within the root.
    fn find(&self, root: Oid, folder: &str) -> anyhow::Result<Option<Oid>> {
        let mut tree = root;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            let found = self.repository.find_tree(tree)?;
            match found.get_name(part).filter(|entry| entry.filemode() == FOLDER) {
                Some(entry) => tree = entry.id(),
                None => return Ok(None),
            }
        }
        Ok(Some(tree))
    }

    fn is_full(&self) -> bool {
        self.diagnostics.len() >= MAX_DIAGNOSTICS
    }

    fn refuse(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.diagnostics.push(diagnostic);
        }
    }

    fn folder(&mut self, id: Oid, path: &str, depth: usize) -> anyhow::Result<()> {
        let (size, _) = header(&self.odb, id).with_context(|| format!("the folder {path:?} is not in the mirror"))?;
        if size > MAX_TREE_BYTES || depth > MAX_DEPTH {
            let why = format!("the folder is larger than {MAX_TREE_BYTES} bytes or deeper than {MAX_DEPTH} folders");
            self.refuse(Diagnostic::error(path, why).help("Split it, or keep it out of the policy path."));
            return Ok(());
        }
        let tree = self.repository.find_tree(id)?;
        for entry in tree.iter() {
            self.entries += 1;
            if self.entries > MAX_ENTRIES || self.is_full() {
                let why = format!("there are more than {MAX_ENTRIES} files and folders");
                self.refuse(Diagnostic::error(path, why).help("Keep policies in a folder of their own (--path)."));
                return Ok(());
            }
            self.entry(&entry, path, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &TreeEntry<'_>, folder: &str, depth: usize) -> anyhow::Result<()> {
        let Ok(name) = std::str::from_utf8(entry.name_bytes()) else {
            let shown = join(folder, &String::from_utf8_lossy(entry.name_bytes()));
            self.refuse(Diagnostic::error(shown, "the file name is not UTF-8").help("Rename the file."));
            return Ok(());
        };
        let path = join(folder, name);
        let is_hidden = name.starts_with('.') && !matches!(name, "." | "..") && !name.eq_ignore_ascii_case(".git");
        if is_hidden {
            return Ok(());
        }
        let what = match entry.filemode() {
            SYMLINK => "a symbolic link",
            SUBMODULE => "a submodule",
            FOLDER => return self.subfolder(entry.id(), path, depth),
            mode if REGULAR.contains(&mode) => return self.file(entry.id(), path),
            _ => "neither a regular file nor a folder",
        };
        let why = format!("this is {what}; only regular files are read");
        self.refuse(Diagnostic::error(path, why).help("Put the file itself here."));
        Ok(())
    }

    fn subfolder(&mut self, id: Oid, path: String, depth: usize) -> anyhow::Result<()> {
        match checked_path(&path) {
            Ok(path) => self.folder(id, &path, depth + 1),
            Err(diagnostic) => {
                self.refuse(diagnostic);
                Ok(())
            }
        }
    }

    fn file(&mut self, id: Oid, path: String) -> anyhow::Result<()> {
        let (size, kind) = header(&self.odb, id).with_context(|| format!("the file {path:?} is not in the mirror"))?;
        let relevant = is_relevant(&path);
        let most = if relevant { MAX_FILE_BYTES } else { MAX_OTHER_BYTES };
        if kind != ObjectType::Blob || size > most {
            let why = format!("the file has {size} bytes, more than {most}");
            let finding = Diagnostic::error(path, why).at(1, 1);
            self.refuse(finding.help("Split the file, or keep it out of the policy path."));
            return Ok(());
        }
        if !relevant {
            return Ok(());
        }
        self.bytes += size;
        if self.files.len() >= MAX_FILES || self.bytes > MAX_TOTAL_BYTES {
            let why = format!("with this file there are more than {MAX_FILES} files or {MAX_TOTAL_BYTES} bytes");
            self.refuse(Diagnostic::error(path, why).help("Keep policies in a folder of their own (--path)."));
            return Ok(());
        }
        if let Some(other) = self.folded.insert(path.to_lowercase(), path.clone()) {
            let why = format!("the path differs from `{other}` only in upper and lower case");
            self.refuse(Diagnostic::error(path.clone(), why).help("Rename one of the two."));
        }
        match SourceFile::new(&path, self.repository.find_blob(id)?.content()) {
            Ok(file) => self.files.push(file),
            Err(diagnostic) => self.refuse(diagnostic),
        }
        Ok(())
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
