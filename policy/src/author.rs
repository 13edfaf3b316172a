//! The author's word, signed with a key that no hub has: these files, and what may be suspended of them. Where an agent
//! pins the author's key, the hub says which of the author's bundles a cluster enforces, and nothing else: settings are
//! what the author's own `fleet.yaml` says.

use crate::bundle::Index;
use crate::catalog::Catalog;
use crate::check::InTurn;
use crate::sign::{PublicKey, SignatureError, Signed, Statement};
use crate::{Digest, Fleet, Labels, Revision, Settings, SourceFile};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest statement that is read, as JSON text.
pub const MAX_STATEMENT_BYTES: usize = 16 << 10;
/// The largest bundle file, before and after it is unpacked.
pub const MAX_PACKED_BYTES: usize = 16 << 20;
/// See [`MAX_PACKED_BYTES`]: paths and quoting beside what files may have.
pub const MAX_BUNDLE_BYTES: usize = 128 << 20;

/// By how much the clocks of hub and agent may differ.
const CLOCKS_DIFFER_MS: i64 = 10 * 60 * 1000;

/// Signed by the author: these files are good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorStatement {
    /// The commit that they are of.
    pub revision: Revision,
    /// Digest of the [`Index`] text.
    pub index: Digest,
    /// How many policies they hold.
    pub policies: u32,
    /// When it was signed, Unix milliseconds. Without a hub it is the epoch: it only grows.
    pub signed_at: i64,
    /// The longest suspension (break glass) that a hub may open, in seconds; 0 for none.
    #[serde(default)]
    pub suspend_seconds: u64,
    /// The part of the files that each class of clusters is served, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, ClassContent>,
}

/// What a class of clusters is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassContent {
    /// Digest of the [`Index`] text.
    pub index: Digest,
    /// How many policies it holds.
    pub policies: u32,
}

impl Statement for AuthorStatement {
    const NAME: &'static str = "author";
}

/// A bundle as a file: everything that an agent needs, and the author's word for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFile {
    /// The format, 1.
    pub format: u32,
    /// The commit that it was built from.
    pub revision: Revision,
    /// How many policies it holds.
    pub policies: u32,
    /// What of it each class of clusters is served.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, ClassContent>,
    /// [`AuthorStatement`]; nothing until it is signed.
    pub statement: Option<Signed>,
    /// The files that decide, sorted by path.
    pub files: Vec<BundledFile>,
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundledFile {
    /// Path within the repository.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Why a bundle file is not what it should be.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BundleFileError {
    #[error("it is not a bundle file: {0}")]
    Malformed(String),
    #[error("the bundle has format {0}, this version reads 1")]
    Format(u32),
    #[error("{0}")]
    File(Box<crate::Diagnostic>),
    #[error("the bundle is not signed")]
    Unsigned,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("the signature is for other files: index {signed}, these have {actual}")]
    OtherFiles { signed: Digest, actual: Digest },
    #[error("the signature is for commit {signed}, the bundle says {actual}")]
    OtherCommit { signed: Revision, actual: Revision },
}

impl BundleFile {
    /// The files that decide, of all that a commit has.
    pub fn new(revision: Revision, policies: u32, files: &[SourceFile]) -> Self {
        let (index, _) = Index::build(files);
        let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.to_string());
        let bundled = index.files.into_iter().filter_map(|file| {
            let text = text(&file.path)?;
            Some(BundledFile { path: file.path, text })
        });
        let classes = BTreeMap::new();
        Self { format: 1, revision, policies, classes, statement: None, files: bundled.collect() }
    }

    /// Reads JSON text, which the caller bounded.
    pub fn parse(text: &[u8]) -> Result<Self, BundleFileError> {
        let bundle: Self =
            serde_json::from_slice(text).map_err(|error| BundleFileError::Malformed(error.to_string()))?;
        if bundle.format != 1 {
            return Err(BundleFileError::Format(bundle.format));
        }
        Ok(bundle)
    }

    /// The files, each checked as one of a repository.
    pub fn sources(&self) -> Result<Vec<SourceFile>, BundleFileError> {
        let read = |file: &BundledFile| SourceFile::new(&file.path, file.text.as_bytes());
        let sources: Result<Vec<_>, _> = self.files.iter().map(read).collect();
        sources.map_err(|diagnostic| BundleFileError::File(Box::new(diagnostic)))
    }

    /// What the author says, if this key signed it for exactly these files.
    pub fn verify(&self, key: &PublicKey) -> Result<AuthorStatement, BundleFileError> {
        let signed = self.statement.as_ref().ok_or(BundleFileError::Unsigned)?;
        let statement: AuthorStatement = key.verify(signed)?;
        let actual = Digest::of(Index::build(&self.sources()?).1);
        if statement.index != actual {
            return Err(BundleFileError::OtherFiles { signed: statement.index, actual });
        }
        if statement.revision != self.revision {
            return Err(BundleFileError::OtherCommit { signed: statement.revision, actual: self.revision.clone() });
        }
        Ok(statement)
    }
}

impl AuthorStatement {
    /// Digest of the index and number of policies of what clusters of this class are served; those of none are served
    /// everything.
    pub fn content(&self, class: &str) -> Option<ClassContent> {
        match class {
            "" => Some(ClassContent { index: self.index, policies: self.policies }),
            class => self.classes.get(class).cloned(),
        }
    }

    /// Whether a hub may give a cluster with these labels these settings now, when the author's `fleet.yaml` is this.
    pub fn allows(&self, fleet: &Fleet, labels: &Labels, settings: &Settings, now: i64) -> Result<(), String> {
        let longest = i64::try_from(self.suspend_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        for glass in &settings.suspensions {
            let length = glass.until.saturating_sub(glass.at);
            if !(0..=longest).contains(&length) {
                let (asked, may) = (length / 1000, self.suspend_seconds);
                return Err(format!("the hub suspends refusals for {asked} s, the author allows {may} s"));
            }
            if glass.at > now.saturating_add(CLOCKS_DIFFER_MS) {
                return Err("the hub suspends refusals from a time on that is yet to come".to_owned());
            }
        }
        let mut wanted = fleet.settings_for(labels);
        wanted.suspensions.clone_from(&settings.suspensions);
        wanted.own_namespaces.clone_from(&settings.own_namespaces);
        match wanted == *settings {
            true => Ok(()),
            false => Err(format!(
                "the hub's settings are not those of the author's fleet.yaml: {}",
                differing(&wanted, settings)
            )),
        }
    }
}

/// The names of the settings that differ.
fn differing(wanted: &Settings, told: &Settings) -> String {
    let fields = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (wanted, told) = (fields(wanted), fields(told));
    let names = wanted.keys().chain(told.keys().filter(|name| !wanted.contains_key(*name)));
    names.filter(|name| wanted.get(*name) != told.get(*name)).cloned().collect::<Vec<_>>().join(", ")
}

/// What the files say of the fleet. Reads every file, so it wants a thread with [`crate::EVALUATION_STACK_BYTES`].
pub fn fleet_of(files: &[SourceFile]) -> Fleet {
    Catalog::read(files, &InTurn).fleet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningKey;
    use crate::{BreakGlass, DenyLevel};

    fn files(text: &str) -> Vec<SourceFile> {
        vec![
            SourceFile { path: "fleet.yaml".into(), text: text.into() },
            SourceFile { path: "README.md".into(), text: "hello".into() },
        ]
    }

    fn bundle() -> BundleFile {
        BundleFile::new(Revision::new("a".repeat(40)).unwrap(), 0, &files("a: b"))
    }

    fn statement(bundle: &BundleFile) -> AuthorStatement {
        let index = Digest::of(Index::build(&bundle.sources().unwrap()).1);
        AuthorStatement {
            revision: bundle.revision.clone(),
            index,
            policies: 0,
            signed_at: 1,
            suspend_seconds: 60,
            classes: BTreeMap::new(),
        }
    }

    #[test]
    fn bundle_is_what_its_author_signed_or_nothing() {
        let (key, _) = SigningKey::generate();
        let mut signed = bundle();
        assert!(matches!(signed.verify(&key.public()), Err(BundleFileError::Unsigned)));
        signed.statement = Some(key.sign(&statement(&signed)));
        assert!(signed.verify(&key.public()).is_ok());
        assert!(signed.verify(&SigningKey::generate().0.public()).is_err(), "another key");
        let mut other = signed.clone();
        other.files[0].text = "a: c".into();
        assert!(matches!(other.verify(&key.public()), Err(BundleFileError::OtherFiles { .. })));
        let other = BundleFile { revision: Revision::new("b".repeat(40)).unwrap(), ..signed.clone() };
        assert!(matches!(other.verify(&key.public()), Err(BundleFileError::OtherCommit { .. })));
        let escaping = BundledFile { path: "../x.yaml".into(), text: String::new() };
        let other = BundleFile { files: vec![escaping], ..signed };
        assert!(matches!(other.verify(&key.public()), Err(BundleFileError::File(_))));
    }

    #[test]
    fn hub_may_give_what_the_authors_fleet_says_and_suspend_within_bounds() {
        let fleet = Fleet { deny_level: DenyLevel::High, ..Fleet::default() };
        let (statement, labels) = (statement(&bundle()), Labels::new());
        let allowed = |settings: &Settings| statement.allows(&fleet, &labels, settings, 2_000);
        let settings = fleet.settings_for(&labels);
        assert_eq!(allowed(&settings), Ok(()));
        let lower = Settings { deny_level: DenyLevel::Low, ..settings.clone() };
        assert_eq!(
            allowed(&lower).unwrap_err(),
            "the hub's settings are not those of the author's fleet.yaml: deny_level"
        );
        let suspended = |length: i64| {
            let glass = BreakGlass { at: 1_000, until: 1_000 + length, ..BreakGlass::default() };
            Settings { suspensions: vec![glass], ..settings.clone() }
        };
        assert_eq!(allowed(&suspended(60_000)), Ok(()));
        assert!(allowed(&suspended(60_001)).is_err() && allowed(&suspended(-1)).is_err());
        let later = BreakGlass { at: 10_000_000, until: 10_060_000, ..BreakGlass::default() };
        assert!(allowed(&Settings { suspensions: vec![later], ..settings.clone() }).is_err(), "from then on");
    }
}
