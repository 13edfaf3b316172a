//! Teams' exemptions against all policies, and teams without any.

use super::fleet::Declared;
use crate::catalog::Catalog;
use crate::{Diagnostic, PolicyInfo, team};

pub(super) fn check(catalog: &Catalog<'_>, policies: &[Declared<'_>]) -> Vec<Diagnostic> {
    let infos: Vec<&PolicyInfo> = policies.iter().map(|policy| policy.info).collect();
    let exemptions =
        catalog.fleet.exemptions.iter().filter_map(|exemption| {
            team::check_exemption(team::of(&catalog.teams, &exemption.path)?, exemption, &infos)
        });
    let idle = catalog.teams.iter().filter(|team| !infos.iter().any(|policy| policy.path.starts_with(&team.folder)));
    let idle = idle.map(|team| {
        let (line, column) = team.place;
        let message = format!("team `{}` has no policy below {}", team.name, team.folder);
        let finding = Diagnostic::warning(&team.path, message).at(line, column);
        finding.help("Put its policies there, or remove the document.")
    });
    exemptions.chain(idle).collect()
}
