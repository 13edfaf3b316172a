//! The part of the files that each class of clusters is served, checked by itself: nothing in it may need what is not.

use super::{NotStarted, SelfTest};
use writ_policy::author::ClassContent;
use writ_policy::bundle::Index;
use writ_policy::fleet::Class;
use writ_policy::{Diagnostic, Digest, Fleet, SourceFile};

/// What a class of clusters is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassPart {
    /// The class.
    pub name: String,
    /// Digest of the index and number of policies.
    pub content: ClassContent,
    /// The index.
    pub index: String,
}

impl SelfTest {
    /// What each class is served of files that are good as a whole, or what is wrong with that. Not for a part: what is
    /// known of the whole from the last run is replaced, so it wants a self-test of its own where that matters.
    pub async fn classes(
        &self,
        fleet: &Fleet,
        files: &[SourceFile],
    ) -> Result<Result<Vec<ClassPart>, Vec<Diagnostic>>, NotStarted> {
        let (mut parts, mut findings) = (vec![], vec![]);
        for class in &fleet.classes {
            match self.class(class, files).await? {
                Ok(part) => parts.push(part),
                Err(found) => findings.extend(found),
            }
        }
        Ok(if findings.is_empty() { Ok(parts) } else { Err(findings) })
    }

    async fn class(
        &self,
        class: &Class,
        files: &[SourceFile],
    ) -> Result<Result<ClassPart, Vec<Diagnostic>>, NotStarted> {
        let part = class.files(files);
        let report = self.run(&part).await?.check;
        let errors = report.diagnostics.into_iter().filter(Diagnostic::is_error);
        let errors: Vec<_> = errors.map(|finding| left_out(class, finding)).collect();
        if !errors.is_empty() {
            return Ok(Err(errors));
        }
        let (_, index) = Index::build(&part);
        let content = ClassContent { index: Digest::of(&index), policies: report.policies.len() as u32 };
        Ok(Ok(ClassPart { name: class.name.clone(), content, index }))
    }
}

/// All of it is good together, so what is wrong here is what is left out.
fn left_out(class: &Class, finding: Diagnostic) -> Diagnostic {
    let message = format!("to clusters of class `{}`: {}", class.name, finding.message);
    let help = "Add to `paths` of the class what this needs (fleet.yaml, `classes`).".to_owned();
    Diagnostic { message, help: Some(help), ..finding }
}
