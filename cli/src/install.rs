//! `writ install` and `writ uninstall`: the manifests of `deploy/` with an operator's answers filled in. The files there
//! are the one source of what is installed.

mod agent;
mod hub;
mod manifests;

use crate::arguments::{Install, Uninstall};
use crate::exit::{DONE, Outcome};
use crate::terminal;

/// Writes what `kubectl apply -f -` takes.
pub(crate) fn run(what: Install) -> Outcome {
    let manifests = match what {
        Install::Agent(options) => agent::manifests(&options)?,
        Install::Hub(options) => hub::manifests(&options)?,
    };
    terminal::say(manifests.yaml()?.trim_end())?;
    Ok(DONE)
}

/// Writes what `kubectl delete -f -` takes.
pub(crate) fn undo(what: &Uninstall) -> Outcome {
    let objects = match what {
        Uninstall::Agent(from) => agent::leftovers(from.namespace.as_deref())?,
        Uninstall::Hub(from) => hub::leftovers(from.namespace.as_deref())?,
    };
    terminal::say(objects.yaml()?.trim_end())?;
    Ok(DONE)
}
