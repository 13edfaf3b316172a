//! What is signed for a commit: the bundle of all of its files, and one for each class of clusters.

use crate::store::{ClassBundle, Classes};
use writ_policy::author::{AuthorStatement, ClassContent};
use writ_policy::bundle::{BundleStatement, Index, MAX_INDEX_BYTES};
use writ_policy::sign::{Signed, SigningKey};
use writ_policy::{Diagnostic, Digest, Revision, SourceFile};
use writ_runtime::ClassPart;

/// The statements and the indexes that they name.
pub(super) struct Statements {
    pub(super) index: Index,
    whole: BundleStatement,
    classes: Vec<BundleStatement>,
    /// The texts of the indexes, that of everything first.
    texts: Vec<String>,
}

impl Statements {
    /// Of a commit with these files and so many policies.
    pub(super) fn of(
        revision: &Revision,
        files: &[SourceFile],
        policies: u32,
        author: Option<Signed>,
        parts: Vec<ClassPart>,
    ) -> Self {
        let (index, text) = Index::build(files);
        let (revision, digest) = (revision.clone(), Digest::of(&text));
        let whole = BundleStatement { revision, index: digest, policies, class: String::new(), author };
        let classes = parts.iter().map(|part| of_class(part, &whole)).collect();
        let texts = std::iter::once(text).chain(parts.into_iter().map(|part| part.index)).collect();
        Self { index, whole, classes, texts }
    }

    /// What keeps agents from taking them.
    pub(super) fn findings(&self) -> Vec<Diagnostic> {
        let bytes = self.texts[0].len();
        let too_large = (bytes > MAX_INDEX_BYTES).then(|| {
            let message = format!("the index of the files has {bytes} bytes, more than {MAX_INDEX_BYTES}");
            Diagnostic::error("", message).help("Keep policies in a folder of their own (--path).")
        });
        let all = self.classes.iter().chain([&self.whole]);
        too_large.into_iter().chain(all.into_iter().find_map(other_than_signed)).collect()
    }

    /// Digest of the index of everything.
    pub(super) fn digest(&self) -> Digest {
        self.whole.index
    }

    /// The statements, signed.
    pub(super) fn sign(&self, key: &SigningKey) -> (Signed, Classes) {
        let signed = |statement: &BundleStatement| {
            let (index, policies) = (statement.index, statement.policies);
            (statement.class.clone(), ClassBundle { index, policies, statement: key.sign(statement) })
        };
        (key.sign(&self.whole), self.classes.iter().map(signed).collect())
    }

    /// The texts of the indexes, by their digests.
    pub(super) fn indexes(self) -> Vec<(Digest, String)> {
        self.texts.into_iter().map(|text| (Digest::of(&text), text)).collect()
    }
}

/// The statement of a class's bundle, which else says what that of everything does.
fn of_class(class: &ClassPart, whole: &BundleStatement) -> BundleStatement {
    let ClassContent { index, policies } = class.content;
    BundleStatement { index, policies, class: class.name.clone(), ..whole.clone() }
}

/// What the author signed must be what was built, or agents would refuse it.
fn other_than_signed(bundle: &BundleStatement) -> Option<Diagnostic> {
    let signed: AuthorStatement = serde_json::from_str(&bundle.author.as_ref()?.payload).ok()?;
    let content = ClassContent { index: bundle.index, policies: bundle.policies };
    if signed.revision == bundle.revision && signed.content(&bundle.class) == Some(content) {
        return None;
    }
    let message = "the author signed other files, another number of policies or other classes than this commit has";
    let help = "Build and sign the bundle from a clean clone, with the hub's --path and a `writ` of the hub's version.";
    Some(Diagnostic::error("", message).help(help))
}
