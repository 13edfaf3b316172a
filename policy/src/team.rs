//! Teams' own policies. `kind: NamespacePolicies` gives the files of its folder to a team: the policies there judge only in
//! the namespaces it names, see only the review, and add to what the platform's policies say. What a team writes cannot
//! reach anything that is not its own, and that is told when the repository is checked.

mod read;

pub(crate) use read::read;

use crate::catalog::Module;
use crate::document::Document;
use crate::{Diagnostic, Exemption, PolicyInfo};
use std::sync::Arc;

/// The kind that declares one.
pub(crate) const KIND: &str = "NamespacePolicies";

/// One team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Team {
    pub name: String,
    /// Names or globs.
    pub namespaces: Vec<String>,
    /// What is the team's: `teams/shop/`.
    pub folder: String,
    /// The file that declares it, and where.
    pub path: String,
    pub place: (u32, u32),
}

impl Team {
    /// The team's part of a package: `teams.shop`.
    fn packages(&self) -> [String; 2] {
        ["teams".into(), self.name.replace('-', "_")]
    }

    fn owns(&self, path: &str) -> bool {
        path.starts_with(&self.folder)
    }

    /// `package writ.teams.shop.x`, `package kubernetes.admission.teams.shop.x`, `package teams.shop.x`.
    fn has_package(&self, package: &[String]) -> bool {
        self.part_of(package).is_some_and(|name| !name.is_empty())
    }

    /// What is left of a package behind the team's part, if it has it.
    fn part_of<'p>(&self, package: &'p [String]) -> Option<&'p [String]> {
        let words: Vec<&str> = package.iter().map(String::as_str).collect();
        let before = match words.as_slice() {
            ["kubernetes", "admission", ..] => 2,
            ["writ", ..] => 1,
            _ => 0,
        };
        package[before..].strip_prefix(&self.packages())
    }
}

/// The team that owns the file.
pub(crate) fn of<'t>(teams: &'t [Arc<Team>], path: &str) -> Option<&'t Arc<Team>> {
    teams.iter().find(|team| team.owns(path))
}

/// Takes out the documents that a team cannot declare, and says so.
pub(crate) fn refuse_documents(teams: &[Arc<Team>], documents: &mut Vec<Document<'_>>) -> Vec<Diagnostic> {
    let mut findings = vec![];
    documents.retain(|document| {
        let team = of(teams, &document.file.path).filter(|_| document.kind != KIND && document.kind != "Exemption");
        findings.extend(team.map(|team| {
            let message = format!("`kind: {}` in the folder of team `{}`", document.kind, team.name);
            document
                .error(message)
                .help("A team declares policies and exemptions from them; move it out of the folder.")
        }));
        team.is_none()
    });
    findings
}

/// A team's packages are its own, and nobody else's: rules that join a package of others would change what these say.
pub(crate) fn check_package(teams: &[Arc<Team>], module: &Module<'_>) -> Option<Diagnostic> {
    let package = &module.outline.package;
    let wrong = |message: String, help: String| Some(module.diagnostic(module.outline.place, message).help(help));
    match &module.team {
        Some(team) if !team.has_package(package) => {
            let own = team.packages().join(".");
            let message = format!("team `{}` has no package `{}`", team.name, package.join("."));
            wrong(message, format!("Name it `writ.{own}.<name>`, or `{own}.<name>` when it only helps others."))
        }
        None => {
            let team = teams.iter().find(|team| team.has_package(package))?;
            let message = format!("the package `{}` is of team `{}`", package.join("."), team.name);
            wrong(message, format!("Move the file below {}, or give it another package.", team.folder))
        }
        Some(_) => None,
    }
}

/// What is a team's is used by nobody else: what the platform refuses must not hang on a team.
pub(crate) fn check_use(teams: &[Arc<Team>], module: &Module<'_>) -> Option<Diagnostic> {
    let uses = |team: &&Arc<Team>| module.references().iter().any(|path| team.part_of(path).is_some());
    let team = teams.iter().find(|team| module.team.as_ref() != Some(team) && uses(team))?;
    let message = format!("packages of team `{}` are used outside of {}", team.name, team.folder);
    Some(
        module
            .diagnostic(module.outline.place, message)
            .help("Move what both need to a library outside of the folder."),
    )
}

/// A team sees only the review: nothing of other namespaces is its to know.
pub(crate) fn check_view(module: &Module<'_>, closure: &[&Module<'_>]) -> Option<Diagnostic> {
    let team = module.team.as_ref()?;
    let sees = |module: &&&Module<'_>| module.reads(&["kubernetes"]) || module.reads(&["inventory"]);
    let seeing = closure.iter().find(sees)?;
    let place =
        if seeing.file.path == module.file.path { String::new() } else { format!(" through {}", seeing.file.path) };
    let message = format!("a policy of team `{}` reads the cluster's other objects{place}", team.name);
    let help =
        "A team's policy sees `input` alone. Name what it imports in full (`data.teams...`), and no `data.inventory`.";
    Some(module.diagnostic(module.outline.place, message).help(help))
}

/// A team's exemption is from policies of its own.
pub(crate) fn check_exemption(team: &Team, exemption: &Exemption, policies: &[&PolicyInfo]) -> Option<Diagnostic> {
    let other = policies.iter().find(|policy| exemption.is_about(policy) && !team.owns(&policy.path))?;
    let message = format!("the exemption `{}` of team `{}` covers {}", exemption.name, team.name, other.code);
    let finding = Diagnostic::error(&exemption.path, message).at(exemption.line, 1);
    Some(finding.help("A team exempts from its own policies; the platform's exemptions are outside of teams' folders."))
}
