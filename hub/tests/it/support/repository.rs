//! A real git repository whose trees are written object by object, so that it can hold what git itself would refuse.

use git2::{ObjectType, Oid, Repository, Signature, Time};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;
use writ_policy::Revision;

const REGULAR: u32 = 0o100_644;
const SYMLINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// A bare repository with one branch, `main`.
pub(crate) struct TestRepository {
    folder: TempDir,
    repository: Repository,
    files: BTreeMap<String, (u32, Oid)>,
    head: Option<Oid>,
    commits: i64,
}

impl TestRepository {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(folder.path()).unwrap();
        Self { folder, repository, files: BTreeMap::new(), head: None, commits: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&mut self, path: &str, content: impl AsRef<[u8]>) -> &mut Self {
        let blob = self.repository.blob(content.as_ref()).unwrap();
        self.put(path, REGULAR, blob)
    }

    /// A content that many files share.
    pub(crate) fn blob(&self, content: impl AsRef<[u8]>) -> Oid {
        self.repository.blob(content.as_ref()).unwrap()
    }

    pub(crate) fn link(&mut self, path: &str, blob: Oid) -> &mut Self {
        self.put(path, REGULAR, blob)
    }

    pub(crate) fn symlink(&mut self, path: &str, target: &str) -> &mut Self {
        let blob = self.repository.blob(target.as_bytes()).unwrap();
        self.put(path, SYMLINK, blob)
    }

    pub(crate) fn submodule(&mut self, path: &str) -> &mut Self {
        self.put(path, SUBMODULE, Oid::from_str(&"1".repeat(40)).unwrap())
    }

    pub(crate) fn remove(&mut self, path: &str) -> &mut Self {
        self.files.remove(path).unwrap();
        self
    }

    fn put(&mut self, path: &str, mode: u32, id: Oid) -> &mut Self {
        self.files.insert(path.to_owned(), (mode, id));
        self
    }

    pub(crate) fn commit(&mut self, message: &str) -> Revision {
        self.commits += 1;
        let id = self.write_commit(message);
        self.point_to(id);
        Revision::new(id.to_string()).unwrap()
    }

    fn write_commit(&self, message: &str) -> Oid {
        let entries: Vec<_> = self.files.iter().map(|(path, (mode, id))| (path.as_str(), *mode, *id)).collect();
        let tree = self.repository.find_tree(self.tree(&entries)).unwrap();
        let author = Signature::new("Ada", "ada@example.com", &Time::new(1_700_000_000 + self.commits, 0)).unwrap();
        let parent = self.head.map(|head| self.repository.find_commit(head).unwrap());
        let parents: Vec<_> = parent.iter().collect();
        self.repository.commit(None, &author, &author, message, &tree, &parents).unwrap()
    }

    /// A commit with the signature that is made of its text.
    pub(crate) fn commit_signed(&mut self, message: &str, sign: impl FnOnce(&[u8]) -> String) -> Revision {
        let unsigned = self.write_commit(message);
        let raw = self.repository.odb().unwrap().read(unsigned).unwrap().data().to_vec();
        let id = self.repository.commit_signed(std::str::from_utf8(&raw).unwrap(), &sign(&raw), None).unwrap();
        self.point_to(id);
        Revision::new(id.to_string()).unwrap()
    }

    /// Points a tag at a commit.
    pub(crate) fn tag(&mut self, name: &str, revision: &Revision) {
        let id = Oid::from_str(revision.as_str()).unwrap();
        self.repository.reference(&format!("refs/tags/{name}"), id, true, "test").unwrap();
    }

    /// Moves the branch, as a forced push does.
    pub(crate) fn reset_to(&mut self, revision: &Revision) {
        self.point_to(Oid::from_str(revision.as_str()).unwrap());
    }

    fn point_to(&mut self, id: Oid) {
        self.repository.reference("refs/heads/main", id, true, "test").unwrap();
        self.head = Some(id);
    }

    /// Writes the raw tree object: `mode name NUL id`, sorted.
    fn tree(&self, files: &[(&str, u32, Oid)]) -> Oid {
        let mut entries: BTreeMap<String, (u32, Oid)> = BTreeMap::new();
        let mut folders: BTreeMap<&str, Vec<(&str, u32, Oid)>> = BTreeMap::new();
        for (path, mode, id) in files {
            match path.split_once('/') {
                Some((folder, rest)) => folders.entry(folder).or_default().push((rest, *mode, *id)),
                None => drop(entries.insert((*path).to_owned(), (*mode, *id))),
            }
        }
        for (folder, files) in folders {
            entries.insert(folder.to_owned(), (0o040_000, self.tree(&files)));
        }
        let mut raw = vec![];
        for (name, (mode, id)) in entries {
            raw.extend(format!("{mode:o} {name}\0").bytes());
            raw.extend(id.as_bytes());
        }
        self.repository.odb().unwrap().write(ObjectType::Tree, &raw).unwrap()
    }
}

/// A sound policy with this code; `sentence` is what it says of everything.
pub(crate) fn policy(code: &str, sentence: &str) -> String {
    let name = code.to_lowercase();
    format!(
        "# METADATA\n# title: Test {code}\n# description: Objects to everything.\n# custom:\n#   code: {code}\n\
         #   severity: LOW\n#   kinds: [Pod]\npackage writ.{name}\n\ndeny contains \"{sentence}\" if {{\n\ttrue\n}}\n"
    )
}
