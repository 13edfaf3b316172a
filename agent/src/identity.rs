//! Who this agent is: what enrollment gave it, kept in the data folder for its owner alone.

use crate::disk;
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use writ_policy::wire::Enrolled;

/// The identity once there is one; the tasks that need it wait for it.
pub type IdentityWatch = watch::Receiver<Option<Arc<Enrolled>>>;

/// Where the identity is kept.
pub fn path(data: &Path) -> PathBuf {
    data.join("identity.json")
}

/// The identity of an earlier enrollment.
pub fn load(data: &Path) -> anyhow::Result<Option<Enrolled>> {
    let path = path(data);
    let Some(content) = disk::read(&path)? else { return Ok(None) };
    let identity = serde_json::from_slice(&content);
    identity.map(Some).with_context(|| format!("{} is damaged; remove it and enroll again", path.display()))
}

/// Keeps the identity, readable by its owner alone.
pub fn save(data: &Path, identity: &Enrolled) -> anyhow::Result<()> {
    let content = serde_json::to_vec_pretty(identity).expect("an identity has only string keys");
    disk::write_atomic(&path(data), &content, disk::PRIVATE)
}

/// Waits until the agent is enrolled; `None` when it ends before.
pub async fn wait(identity: &mut IdentityWatch) -> Option<Arc<Enrolled>> {
    identity.wait_for(Option::is_some).await.ok()?.clone()
}
