//! One bundle for each class of clusters: the part of a commit's files that the class is served, checked by itself, so
//! that nothing in it needs what is not.

use crate::app::App;
use crate::publish::BuiltClass;
use anyhow::Context;
use writ_policy::bundle::Index;
use writ_policy::fleet::Class;
use writ_policy::{Diagnostic, Digest, Fleet, SourceFile};

/// What each class is served, or what is wrong with that.
pub(super) async fn build(
    app: &App,
    fleet: &Fleet,
    files: &[SourceFile],
) -> anyhow::Result<Result<Vec<BuiltClass>, Vec<Diagnostic>>> {
    let (mut built, mut findings) = (vec![], vec![]);
    for class in &fleet.classes {
        match build_one(app, class, files).await? {
            Ok(one) => built.push(one),
            Err(found) => findings.extend(found),
        }
    }
    Ok(if findings.is_empty() { Ok(built) } else { Err(findings) })
}

async fn build_one(
    app: &App,
    class: &Class,
    files: &[SourceFile],
) -> anyhow::Result<Result<BuiltClass, Vec<Diagnostic>>> {
    let part = class.files(files);
    let report = app.class_test.run(&part).await.context("checking what a class is served")?.check;
    let errors = report.diagnostics.into_iter().filter(Diagnostic::is_error);
    let errors: Vec<_> = errors.map(|finding| in_class(class, finding)).collect();
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let (_, text) = Index::build(&part);
    let (index, policies) = (Digest::of(&text), report.policies.len() as u32);
    Ok(Ok(BuiltClass { name: class.name.clone(), index, text, policies }))
}

/// All of it is good together, so what is wrong here is what is left out.
fn in_class(class: &Class, finding: Diagnostic) -> Diagnostic {
    let message = format!("to clusters of class `{}`: {}", class.name, finding.message);
    let help = "Add to `paths` of the class what this needs (fleet.yaml, `classes`).".to_owned();
    Diagnostic { message, help: Some(help), ..finding }
}
