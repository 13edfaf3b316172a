//! What a source beside the first may not say: what is enforced where, in which order, and who is exempt. It brings
//! policies, and teams' policies for the namespaces that these name.

use crate::source::is_below;
use anyhow::{Context, anyhow};
use writ_policy::author::fleet_of;
use writ_policy::{Diagnostic, EVALUATION_STACK_BYTES, SourceFile};

/// Findings about such files of the sources with these names. The files passed their check: reading them is safe.
pub(super) async fn guard(files: &[SourceFile], names: Vec<String>) -> anyhow::Result<Vec<Diagnostic>> {
    let of_others = |file: &&SourceFile| file.is_yaml() && names.iter().any(|name| is_below(&file.path, name));
    let files: Vec<SourceFile> = files.iter().filter(of_others).cloned().collect();
    if files.is_empty() {
        return Ok(vec![]);
    }
    let look = move || {
        let thread = std::thread::Builder::new().stack_size(EVALUATION_STACK_BYTES);
        let thread = thread.spawn(move || files.iter().filter_map(finding).collect()).context("starting a thread")?;
        thread.join().map_err(|_| anyhow!("reading the sources' files failed"))
    };
    tokio::task::spawn_blocking(look).await?
}

fn finding(file: &SourceFile) -> Option<Diagnostic> {
    let fleet = fleet_of(std::slice::from_ref(file));
    let what = match (fleet.api_version.is_empty(), fleet.exemptions.is_empty()) {
        (false, _) => "a fleet",
        (_, false) => "an exemption",
        _ => return None,
    };
    let message = format!("{what} is the first source's to say, and this is another one");
    let help = "Move the document to the first repository (--source); the others bring policies.";
    Some(Diagnostic::error(&file.path, message).help(help))
}
