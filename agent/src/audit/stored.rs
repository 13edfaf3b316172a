//! Existing objects where no API server shows them: what admission lets in is taken to exist, until a deletion is let in.

use super::{Auditor, ObjectKey, Seen};
use crate::objects::ObjectName;
use crate::report::Recorded;
use crate::wanted::Wanted;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use writ_policy::{Decided, ReviewFacts};

/// Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Stored(Arc<Auditor>);

impl Stored {
    /// Knows of nothing yet.
    pub fn new(auditor: Arc<Auditor>) -> Self {
        Self(auditor)
    }

    /// One review that was answered.
    pub fn see(&self, recorded: &Recorded) {
        let Recorded { decided, revision, at } = recorded;
        let Some(key) = stored(decided) else { return };
        if decided.facts.operation == "DELETE" {
            return self.0.gone(&key);
        }
        self.0.learn(key, Seen { generation: 0, retell: false }, decided, revision, *at);
    }

    /// Tells what changed, and forgets what policies that are gone objected to, until shutdown.
    pub async fn run(
        self,
        mut wanted: watch::Receiver<Option<Wanted>>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let Self(auditor) = self;
        let keep = async {
            while wanted.changed().await.is_ok() {
                auditor.keep_policies();
            }
            std::future::pending().await
        };
        tokio::select! {
            ended = auditor.clone().run(shutdown) => ended,
            never = keep => never,
        }
    }
}

/// The object that is, or is no more, as admission left it. Nothing for what was refused, for trials, for parts of
/// objects, and for what has no name yet and no owner by which it is known.
fn stored(decided: &Decided) -> Option<ObjectKey> {
    let Decided { facts, decision } = decided;
    let is_stored = matches!(facts.operation.as_str(), "CREATE" | "UPDATE" | "DELETE");
    let is_whole = facts.sub_resource.is_empty() && !facts.dry_run;
    (is_stored && is_whole && decision.is_allowed() && is_known(facts)).then(|| {
        let namespace = Some(facts.namespace.as_str()).filter(|namespace| !namespace.is_empty()).map(Arc::from);
        ObjectKey { kind: facts.kind.as_str().into(), name: ObjectName { namespace, name: facts.name.as_str().into() } }
    })
}

fn is_known(facts: &ReviewFacts) -> bool {
    let own = facts.workload.split_once('/').map(|(_, name)| name);
    let is_nameless = facts.name.ends_with('*') && own == Some(&*facts.name);
    !facts.name.is_empty() && !is_nameless
}
