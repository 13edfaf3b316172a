//! Gatekeeper's dialect: constraint templates and constraints as their users have them. Read here from YAML, compiled in
//! `policy_set`. What Gatekeeper does is the measure; where Writ differs, `check` says so.

mod config;
mod constraint;
mod embedded;
mod enforcement;
mod matcher;
mod native;
mod schema;
mod selector;
mod template;
mod wildcard;

pub(crate) use constraint::Constraint;
pub(crate) use embedded::Embedded;
pub(crate) use matcher::Target;
pub(crate) use native::{Native, NativeReview};
pub(crate) use template::Template;

use crate::Diagnostic;
use crate::document::Document;
use config::Config;

/// Everything of Gatekeeper's in a repository.
#[derive(Default)]
pub(crate) struct Gatekeeper {
    pub templates: Vec<Template>,
    pub constraints: Vec<Constraint>,
    /// Kinds to replicate, as `group/version/Kind`.
    pub sync: Vec<String>,
}

impl Gatekeeper {
    /// Reads the documents of Gatekeeper's kinds, and says what is wrong with them. Templates and constraints may come in
    /// any order.
    pub(crate) fn read(documents: &[Document<'_>]) -> (Self, Vec<Diagnostic>) {
        let (mut read, mut findings) = (Self::default(), vec![]);
        let mut config = Config::default();
        let ours = || documents.iter().filter(|document| document.is_gatekeeper());
        for document in ours() {
            match (document.group(), document.kind.as_str()) {
                ("templates.gatekeeper.sh", "ConstraintTemplate") => {
                    read.templates.extend(Template::read(document, &mut findings));
                }
                ("constraints.gatekeeper.sh", _) => {}
                _ => config.read(document, &mut findings),
            }
        }
        findings.extend(twice(&read.templates));
        for document in ours().filter(|document| document.group() == "constraints.gatekeeper.sh") {
            let template = read.templates.iter().find(|template| template.kind == document.kind);
            read.constraints.extend(Constraint::read(document, template, &config.excluded, &mut findings));
        }
        read.sync = config.sync;
        (read, findings)
    }
}

/// Templates of one kind; the later one is told. Constraints that are there twice are told by their codes.
fn twice(templates: &[Template]) -> Vec<Diagnostic> {
    let is_second = |at: usize, kind: &str| templates[..at].iter().find(|earlier| earlier.kind == kind);
    let told = templates.iter().enumerate().filter_map(|(at, template)| {
        let first = is_second(at, &template.kind)?;
        let message = format!("the kind `{}` is already declared by the template in {}", template.kind, first.path);
        Some(template.error(message).help("Keep one ConstraintTemplate for each kind."))
    });
    told.collect()
}
