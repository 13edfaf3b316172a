//! The part of the files that each class of clusters is served, checked by itself: nothing in it may need what is not.

use super::{NotStarted, SelfTest, SelfTestReport};
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

/// What is wrong with what classes are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassFindings {
    /// Errors.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether a child ended for want of time or memory, which may be the machine's fault and not the files'.
    pub exhausted: bool,
}

impl SelfTest {
    /// What each class is served of files that are good as a whole, or what is wrong with that. Not for a part: what is
    /// known of the whole from the last run is replaced, so it wants a self-test of its own where that matters.
    pub async fn classes(
        &self,
        fleet: &Fleet,
        files: &[SourceFile],
    ) -> Result<Result<Vec<ClassPart>, ClassFindings>, NotStarted> {
        let (mut parts, mut findings) = (vec![], ClassFindings::default());
        for class in &fleet.classes {
            match self.class(class, files).await? {
                Ok(part) => parts.push(part),
                Err(found) => {
                    findings.diagnostics.extend(found.diagnostics);
                    findings.exhausted |= found.exhausted;
                }
            }
        }
        Ok(if findings.diagnostics.is_empty() { Ok(parts) } else { Err(findings) })
    }

    async fn class(&self, class: &Class, files: &[SourceFile]) -> Result<Result<ClassPart, ClassFindings>, NotStarted> {
        let part = class.files(files);
        let SelfTestReport { check: report, exhausted, .. } = self.run(&part).await?;
        let errors = report.diagnostics.into_iter().filter(Diagnostic::is_error);
        let diagnostics: Vec<_> =
            errors.map(|finding| if exhausted { finding } else { left_out(class, finding) }).collect();
        if !diagnostics.is_empty() {
            return Ok(Err(ClassFindings { diagnostics, exhausted }));
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
