//! The author's key, where the operator of this agent pins it: what may be enforced is then the author's to say, and which
//! of it the hub's. A stolen hub can keep a cluster back for a while, and cannot weaken what its author wrote.

use crate::cache::Cache;
use crate::sync::verify::Verified;
use anyhow::{Context, anyhow, ensure};
use std::path::Path;
use std::time::Duration;
use writ_policy::author::{AuthorStatement, ClassContent, fleet_of};
use writ_policy::sign::PublicKey;
use writ_policy::{EVALUATION_STACK_BYTES, Fleet, SourceFile};

/// The author as this agent knows it.
#[derive(Debug, Clone)]
pub struct Author {
    key: PublicKey,
    go_back_ms: i64,
}

impl Author {
    /// The author whose public key is in the file. `go_back` is by how much an older bundle of theirs may replace a newer.
    pub fn read(file: &Path, go_back: Duration) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let key = text.parse().with_context(|| format!("{} is not an author's public key", file.display()))?;
        Ok(Self { key, go_back_ms: i64::try_from(go_back.as_millis()).unwrap_or(i64::MAX) })
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether the author signed this bundle, and wants the settings that the hub gives this cluster.
    pub async fn check(
        &self,
        verified: &Verified,
        files: &[SourceFile],
        cache: &Cache,
        now: i64,
    ) -> anyhow::Result<()> {
        let statement = self.statement(verified)?;
        let newest = cache.author_mark();
        ensure!(
            statement.signed_at >= newest.saturating_sub(self.go_back_ms),
            "the author signed this bundle long before the newest that was enforced here (--author-go-back)"
        );
        let fleet = read_fleet(files.to_vec()).await?;
        let (own, told) = (class_of(&fleet, verified), &verified.bundle.class);
        ensure!(
            own == told,
            "the bundle is for clusters of class `{told}`, and the author's fleet.yaml says `{own}` of this one"
        );
        let allowed = statement.allows(&fleet, &verified.labels, &verified.assignment.settings, now);
        allowed.map_err(|reason| anyhow!(reason))
    }

    /// What the author said of the bundle.
    pub fn statement(&self, verified: &Verified) -> anyhow::Result<AuthorStatement> {
        let bundle = &verified.bundle;
        let signed = bundle.author.as_ref();
        let signed =
            signed.context("the bundle is not signed by its author, whose key is pinned here (--author-key)")?;
        let statement: AuthorStatement = self.key.verify(signed).context("the author's signature")?;
        let content = ClassContent { index: bundle.index, policies: bundle.policies };
        let is_this = statement.revision == bundle.revision && statement.content(&bundle.class) == Some(content);
        ensure!(is_this, "the author's signature is for another bundle");
        Ok(statement)
    }
}

/// The class of this cluster, as the fleet says; empty for none.
fn class_of<'a>(fleet: &'a Fleet, verified: &Verified) -> &'a str {
    fleet.class_of(&verified.labels).map_or("", |class| &class.name)
}

/// What the files say of the fleet, on a thread that can read every file.
pub async fn read_fleet(files: Vec<SourceFile>) -> anyhow::Result<Fleet> {
    let read = move || {
        let thread = std::thread::Builder::new().stack_size(EVALUATION_STACK_BYTES).spawn(move || fleet_of(&files));
        thread.context("starting a thread")?.join().map_err(|_| anyhow!("reading the fleet failed"))
    };
    tokio::task::spawn_blocking(read).await?
}
