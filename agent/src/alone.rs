//! Without a hub: the author's bundle comes from a file or a registry, and its settings from its own `fleet.yaml` by the
//! labels that the operator gave this cluster. The author's key is the one that is trusted, and what was signed later is
//! the newer epoch. Everything after that is as with a hub.

use crate::author::read_fleet;
use crate::cache::{Blobs, Saved};
use crate::enforcer::Enforcer;
use crate::health::Health;
use crate::registry::Registry;
use crate::sync::content;
use crate::sync::verify::{Step, Verified};
use crate::{clock, disk};
use anyhow::{Context, ensure};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writ_policy::author::{AuthorStatement, BundleFile, ClassContent, MAX_BUNDLE_BYTES, MAX_PACKED_BYTES};
use writ_policy::bundle::{Assignment, BundleStatement, Index};
use writ_policy::sign::{PublicKey, Signed};
use writ_policy::wire::Desired;
use writ_policy::{ClusterName, Digest, Fleet, Labels, SourceFile};

/// Whom an agent without a hub trusts, and as which cluster.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The author's.
    pub key: PublicKey,
    /// This cluster.
    pub cluster: ClusterName,
    /// What `fleet.yaml` matches.
    pub labels: Labels,
}

/// Where bundles come from.
#[derive(Debug)]
pub enum Place {
    /// A file, which is replaced when there is a newer bundle.
    File(PathBuf),
    /// A registry.
    Registry(Box<Registry>),
}

/// The loop's parts.
pub struct Alone {
    /// Where bundles come from.
    pub place: Place,
    /// Whom to trust.
    pub trust: Trust,
    /// How often to look.
    pub every: Duration,
    /// Makes a bundle the one that decides.
    pub enforcer: Enforcer,
    /// Status and metrics.
    pub health: Health,
}

impl Trust {
    /// What the author signed, as an order to this cluster.
    pub fn verify(&self, signed: &Signed, fleet: &Fleet) -> anyhow::Result<Verified> {
        let author: AuthorStatement = self.key.verify(signed)?;
        let class = fleet.class_of(&self.labels).map(|class| class.name.clone()).unwrap_or_default();
        let ClassContent { index, policies } = author.content(&class).with_context(|| {
            format!("the author signed nothing for clusters of class `{class}`, of which this one is")
        })?;
        let epoch = u64::try_from(author.signed_at).context("the author's clock stood before 1970")?;
        let assignment = Assignment {
            cluster: self.cluster.clone(),
            epoch,
            bundle: signed.digest(),
            settings: fleet.settings_for(&self.labels),
            issued_at: author.signed_at,
            // Nobody promised to be heard of again.
            stale_after: i64::MAX,
        };
        Ok(Verified {
            digest: signed.digest(),
            assignment,
            bundle: BundleStatement { revision: author.revision, index, policies, class, author: Some(signed.clone()) },
            authority: format!("author {}/{}", self.key.fingerprint(), self.cluster),
            labels: self.labels.clone(),
        })
    }

    /// The same of a bundle whose files are in the cache.
    pub async fn verify_kept(&self, signed: &Signed, blobs: &Blobs) -> anyhow::Result<Verified> {
        let author: AuthorStatement = self.key.verify(signed)?;
        // Which class this cluster is of is said by a file that every class is served.
        let mut indexes = author.classes.values().map(|content| content.index).chain([author.index]);
        let kept = indexes.find_map(|index| content::load(blobs, &index).ok());
        let files = kept.context("its files are not all in the cache")?;
        self.verify(signed, &read_fleet(files.to_vec()).await?)
    }
}

impl Alone {
    /// Looks until shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut known = None;
        let mut said = String::new();
        while !shutdown.is_cancelled() {
            let looked = tokio::select! {
                looked = self.look(&mut known) => looked,
                () = shutdown.cancelled() => break,
            };
            let problem = looked.err().map(|problem| format!("{problem:#}")).unwrap_or_default();
            if problem != said && !problem.is_empty() {
                self.health.metrics.refused.inc();
                self.health.status.set_problem(format!("the bundle is not enforced: {problem}"));
                warn!(error = problem, "the bundle is not enforced; the last good one stays");
            }
            said = problem;
            tokio::select! {
                () = tokio::time::sleep(self.every.mul_f64(0.9 + 0.2 * fastrand::f64())) => {}
                () = shutdown.cancelled() => {}
            }
        }
        Ok(())
    }

    /// One look. `known` is the digest of what was dealt with.
    async fn look(&mut self, known: &mut Option<Digest>) -> anyhow::Result<()> {
        let Some((digest, packed)) = self.place.fetch(known.as_ref()).await? else { return Ok(()) };
        self.enforce(packed).await?;
        *known = Some(digest);
        Ok(())
    }

    async fn enforce(&mut self, packed: Vec<u8>) -> anyhow::Result<()> {
        let key = self.trust.key;
        let (signed, files) = disk::blocking(move || open(&packed, &key)).await?;
        let fleet = read_fleet(files.clone()).await?;
        let verified = self.trust.verify(&signed, &fleet)?;
        let files = fleet.served_to(&self.trust.labels, &files);
        let step = verified.step_from(self.enforcer.cache.floor().as_ref())?;
        if step == Step::Renewal && self.health.status.is_enforcing() {
            return Ok(());
        }
        let blobs = self.enforcer.cache.blobs.clone();
        disk::blocking(move || {
            let (index, text) = Index::build(&files);
            blobs.save(text.as_bytes())?;
            let mut named = files.iter().filter(|file| index.files.iter().any(|indexed| indexed.path == file.path));
            named.try_for_each(|file| blobs.save(file.text.as_bytes()))
        })
        .await?;
        let tested_by = env!("CARGO_PKG_VERSION").to_owned();
        let desired = Desired { assignment: signed.clone(), bundle: signed };
        self.enforcer.advance(&verified, Saved { desired, fetched_at: clock::now(), tested_by }).await
    }
}

impl Place {
    async fn fetch(&self, known: Option<&Digest>) -> anyhow::Result<Option<(Digest, Vec<u8>)>> {
        match self {
            Place::Registry(registry) => registry.pull(known).await,
            Place::File(path) => {
                let path = path.clone();
                let content = disk::blocking(move || read(&path)).await?;
                let digest = Digest::of(&content);
                Ok((known != Some(&digest)).then_some((digest, content)))
            }
        }
    }
}

fn read(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut content = vec![];
    file.take(MAX_PACKED_BYTES as u64 + 1).read_to_end(&mut content)?;
    ensure!(content.len() <= MAX_PACKED_BYTES, "{} has more than {MAX_PACKED_BYTES} bytes", path.display());
    Ok(content)
}

/// Unpacks a bundle file, within bounds, and verifies it.
pub fn open(packed: &[u8], key: &PublicKey) -> anyhow::Result<(Signed, Vec<SourceFile>)> {
    let bundle = unpack(packed)?;
    bundle.verify(key)?;
    let files = bundle.sources()?;
    Ok((bundle.statement.context("the bundle is not signed")?, files))
}

/// Unpacks a bundle file, within bounds. What it says is not verified yet.
pub fn unpack(packed: &[u8]) -> anyhow::Result<BundleFile> {
    ensure!(packed.len() <= MAX_PACKED_BYTES, "the bundle has more than {MAX_PACKED_BYTES} bytes");
    let mut text = vec![];
    let mut unpacked = GzDecoder::new(packed).take(MAX_BUNDLE_BYTES as u64 + 1);
    unpacked.read_to_end(&mut text).context("the bundle is not gzip")?;
    ensure!(text.len() <= MAX_BUNDLE_BYTES, "the bundle has more than {MAX_BUNDLE_BYTES} bytes when it is unpacked");
    Ok(BundleFile::parse(&text)?)
}
