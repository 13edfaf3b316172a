//! What every handler may ask for: one state, shared by all routes.

use crate::access::Access;
use crate::clock::Clock;
use crate::store::Store;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use writ_policy::sign::SigningKey;

/// The state of the hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The parts of the state.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who may see and change what.
    pub access: Access,
    /// Signs bundles and assignments.
    pub hub_key: SigningKey,
    /// What is followed, for people: without credentials.
    pub source: SourceName,
    /// How long a request of an agent is held while there is nothing new.
    pub hold: Duration,
}

/// Which repository, branch and folder the hub follows. Shown on pages; never holds a credential.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SourceName {
    /// Path or URL.
    pub url: String,
    /// Branch.
    pub branch: String,
    /// Folder within the repository, empty for all of it.
    pub path: String,
}

impl App {
    /// The state made of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
