//! Which kinds the policies in force judge, and about which of them the API server asks: the difference is said to the
//! hub, so that no kind goes unjudged in silence. Facts only; the enforcer writes the one, the keeper of the webhook
//! configuration the other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use writ_policy::PolicyInfo;

/// What the API server was seen to ask about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    /// Kinds whose requests reach the agent.
    pub kinds: BTreeSet<String>,
    /// Those among them that the API server does not serve yet.
    pub unknown: BTreeSet<String>,
    /// The reason, when a person suspended the webhook.
    pub suspended: Option<String>,
    /// Why the rest is not registered.
    pub problem: Option<String>,
}

/// Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Registration {
    /// `None` before there are policies.
    targets: watch::Sender<Option<BTreeSet<String>>>,
    registered: Arc<Mutex<Option<Registered>>>,
}

impl Default for Registration {
    fn default() -> Self {
        Self { targets: watch::channel(None).0, registered: Arc::default() }
    }
}

impl Registration {
    /// What policies judge, as it changes.
    pub fn targets(&self) -> watch::Receiver<Option<BTreeSet<String>>> {
        self.targets.subscribe()
    }

    /// What policies judge, by a test's word.
    #[cfg(test)]
    pub(crate) fn set_targets(&self, kinds: &[&str]) {
        self.targets.send_replace(Some(kinds.iter().map(|kind| (*kind).to_owned()).collect()));
    }

    /// These policies decide from now on.
    pub fn enforced(&self, policies: &[Arc<PolicyInfo>]) {
        let kinds = Some(kinds_of(policies));
        self.targets.send_if_modified(|known| std::mem::replace(known, kinds.clone()) != kinds);
    }

    /// What the API server asks about.
    pub fn set(&self, registered: Registered) {
        *self.registered.lock().unwrap_or_else(PoisonError::into_inner) = Some(registered);
    }

    /// What was registered stays so for all that is known, but it cannot be seen or changed.
    pub fn set_problem(&self, problem: String) {
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        registered.get_or_insert_default().problem = Some(problem);
    }

    /// What keeps requests from being judged, for people. Nothing outside of a cluster, where nobody registers.
    pub fn gaps(&self) -> Vec<String> {
        let registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(registered), Some(targets)) = (registered, self.targets.borrow().clone()) else { return vec![] };
        if let Some(reason) = registered.suspended {
            return vec![format!("nothing is judged: the webhook configuration is suspended ({reason})")];
        }
        let missing: Vec<String> = targets.difference(&registered.kinds).cloned().collect();
        let why = registered.problem.unwrap_or_else(|| "the webhook configuration is about to be written".to_owned());
        let missing =
            (!missing.is_empty()).then(|| format!("requests for {} may not be judged: {why}", missing.join(", ")));
        let unknown = (!registered.unknown.is_empty()).then(|| {
            let kinds: Vec<&str> = registered.unknown.iter().map(String::as_str).collect();
            format!(
                "the API server does not serve {}; all kinds of its group are asked about until it does",
                kinds.join(", ")
            )
        });
        missing.into_iter().chain(unknown).collect()
    }
}

/// The kinds that these policies judge; who judges pods judges the pods that workloads imply.
fn kinds_of(policies: &[Arc<PolicyInfo>]) -> BTreeSet<String> {
    let is_pod = |kind: &String| kind == "Pod" || kind == "*/Pod";
    let mut kinds: BTreeSet<String> = policies.iter().flat_map(|policy| policy.kinds.iter().cloned()).collect();
    if policies.iter().any(|policy| policy.expand && policy.kinds.iter().any(is_pod)) {
        kinds.extend(writ_policy::workloads().map(str::to_owned));
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kinds: &[&str]) -> BTreeSet<String> {
        kinds.iter().map(|kind| (*kind).to_owned()).collect()
    }

    fn registration(targets: &[&str]) -> Registration {
        let registration = Registration::default();
        registration.set_targets(targets);
        registration
    }

    #[test]
    fn kind_that_is_not_registered_yet_is_told() {
        let registration = registration(&["Pod", "apps/Deployment"]);
        assert!(registration.gaps().is_empty(), "outside of a cluster nobody registers");
        registration.set(Registered { kinds: set(&["Pod"]), ..Registered::default() });
        let gaps = registration.gaps().join("\n");
        assert!(gaps.contains("requests for apps/Deployment may not be judged"), "{gaps}");
        registration.set(Registered { kinds: set(&["Pod", "apps/Deployment"]), ..Registered::default() });
        assert!(registration.gaps().is_empty());
    }

    #[test]
    fn suspension_is_told_with_its_reason() {
        let registration = registration(&["Pod"]);
        let registered = Registered { suspended: Some("INC-7".into()), ..Registered::default() };
        registration.set(registered);
        assert!(registration.gaps()[0].contains("INC-7"));
    }
}
