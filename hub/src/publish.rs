//! A commit's files become a bundle that may be served, or a record of why not. Checks run in a limited child process;
//! what they find is data. A refused commit never replaces what is served.

mod foreign;
mod removal;
mod statements;

use crate::app::App;
use crate::finding::{Finding, with_excerpts};
use crate::repository::{Commit, Read};
use crate::store::{Checked, NewBundle, Served, Store};
use anyhow::Context;
use flate2::{Compression, write::GzEncoder};
use statements::Statements;
use std::io::Write;
use std::time::{Duration, Instant};
use writ_policy::bundle::BundleStatement;
use writ_policy::sign::{Signed, SigningKey};
use writ_policy::{CheckReport, Diagnostic, Digest, PolicyInfo, SourceFile};
use writ_runtime::ClassFindings;

/// The most findings of a commit that are kept, and the longest text of one, in characters.
const MAX_DIAGNOSTICS: usize = 200;
const MAX_TEXT: usize = 2_000;
/// The longest page of a code that is kept, in bytes.
const MAX_PAGE_BYTES: usize = 64 << 10;

/// What came of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is served from now on.
    Served {
        /// How many policies it has.
        policies: usize,
    },
    /// It is recorded with what is wrong, and not served.
    Refused(Vec<Diagnostic>),
    /// Its check ended for want of time or memory, which may be no fault of the commit's. Recorded as refused.
    Unfinished(Vec<Diagnostic>),
}

/// Signs what is served with the hub's key, when another one did: no agent that enrolls from now on would trust that.
pub async fn sign_anew(store: &Store, key: &SigningKey) -> anyhow::Result<()> {
    let Some(served) = store.served().await.context("reading what is served")? else { return Ok(()) };
    if served.statement.key == key.public().fingerprint() {
        return Ok(());
    }
    tracing::warn!(revision = %served.revision, "the hub has a new key: {} is signed anew", served.revision.short());
    signed_by_us(store, key, served).await.map(drop)
}

/// A revision with its statement signed by this key, also where another one did.
pub async fn signed_by_us(store: &Store, key: &SigningKey, revision: Served) -> anyhow::Result<Served> {
    if revision.statement.key == key.public().fingerprint() {
        return Ok(revision);
    }
    let anew = |signed: &Signed| {
        let statement: BundleStatement = serde_json::from_str(&signed.payload).context("reading the bundle")?;
        anyhow::Ok(key.sign(&statement))
    };
    let statement = anew(&revision.statement)?;
    let mut classes = revision.classes.clone();
    for class in classes.values_mut() {
        class.statement = anew(&class.statement)?;
    }
    store.save_statements(revision.id, &statement, &classes).await.context("signing the bundle anew")?;
    Ok(Served { statement, classes, ..revision })
}

/// Checks a commit, and serves it when it is sound. `author` is the author's word for it, where one is asked for; `again`
/// says when a check that ran out of time or memory is tried again.
pub async fn publish(
    app: &App,
    commit: &Commit,
    read: Read,
    author: Option<Signed>,
    again: Option<Duration>,
) -> anyhow::Result<Verdict> {
    let started = Instant::now();
    let verdict = match read {
        Ok(files) => check(app, commit, files, author, again).await?,
        Err(diagnostics) => refuse(app, commit, diagnostics, &[]).await?,
    };
    let duration_ms = started.elapsed().as_millis() as u64;
    let revision = commit.revision.as_str();
    match &verdict {
        Verdict::Served { policies } => {
            tracing::info!(
                revision,
                policies,
                duration_ms,
                "serving {} with {policies} policies",
                commit.revision.short()
            );
        }
        Verdict::Refused(diagnostics) | Verdict::Unfinished(diagnostics) => {
            let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(ToString::to_string);
            let short = commit.revision.short();
            tracing::warn!(revision, duration_ms, first, "commit {short} is refused, the last good one stays");
        }
    }
    app.metrics.published(&verdict, started.elapsed());
    Ok(verdict)
}

async fn check(
    app: &App,
    commit: &Commit,
    files: Vec<SourceFile>,
    author: Option<Signed>,
    again: Option<Duration>,
) -> anyhow::Result<Verdict> {
    let started = Instant::now();
    let report = app.self_test.run(&files).await.context("checking the commit")?;
    let check_ms = started.elapsed().as_millis() as u64;
    tracing::debug!(revision = %commit.revision, check_ms, "checked {}", commit.revision.short());
    let CheckReport { mut diagnostics, policies, fleet } = report.check;
    if report.exhausted {
        return unfinished(app, commit, diagnostics, &files, again).await;
    }
    let served = app.store.served().await.context("reading what is served")?;
    if is_good(&diagnostics) {
        diagnostics.extend(guard(served.as_ref(), commit, &files, &policies).await?);
    }
    let mut parts = vec![];
    if is_good(&diagnostics) {
        match app.class_test.classes(&fleet, &files).await.context("checking what classes are served")? {
            Ok(found) => {
                diagnostics.extend(served.and_then(|served| removal::guard_classes(&served, &found, commit)));
                parts = found;
            }
            Err(ClassFindings { diagnostics: found, exhausted }) => {
                diagnostics.extend(found);
                if exhausted {
                    return unfinished(app, commit, diagnostics, &files, again).await;
                }
            }
        }
    }
    let statements = Statements::of(&commit.revision, &files, policies.len() as u32, author, parts);
    diagnostics.extend(statements.findings());
    if !is_good(&diagnostics) {
        return refuse(app, commit, diagnostics, &files).await;
    }
    let policies: Vec<_> = policies.into_iter().map(|policy| with_page(policy, &files)).collect();
    let verdict = Verdict::Served { policies: policies.len() };
    let fleet_file = files.iter().find(|file| holds_fleet(file)).cloned();
    let (statement, classes) = statements.sign(app.keys.signing());
    let bundle = NewBundle { policies, fleet, fleet_file, index: statements.digest(), statement, classes };
    let findings = with_excerpts(bounded(diagnostics), &files);
    let blobs = new_blobs(app, statements, files).await?;
    serve(app, commit, findings, bundle, blobs).await?;
    Ok(verdict)
}

/// A check that ran out of time or memory is recorded as refused.
async fn unfinished(
    app: &App,
    commit: &Commit,
    mut diagnostics: Vec<Diagnostic>,
    files: &[SourceFile],
    again: Option<Duration>,
) -> anyhow::Result<Verdict> {
    diagnostics.push(tried_again(again));
    Ok(match refuse(app, commit, diagnostics, files).await? {
        Verdict::Refused(diagnostics) => Verdict::Unfinished(diagnostics),
        other => other,
    })
}

fn is_good(diagnostics: &[Diagnostic]) -> bool {
    !diagnostics.iter().any(Diagnostic::is_error)
}

/// What no file is wrong about, and the hub does not serve without another word. Not asked of a commit with errors: a
/// policy that does not load is not removed.
async fn guard(
    served: Option<&Served>,
    commit: &Commit,
    files: &[SourceFile],
    policies: &[PolicyInfo],
) -> anyhow::Result<Vec<Diagnostic>> {
    let removed = served.and_then(|served| removal::guard(&served.codes, policies, commit));
    let others = commit.parts.keys().filter(|name| !name.is_empty()).cloned().collect();
    let foreign = foreign::guard(files, others).await?;
    Ok(removed.into_iter().chain(foreign).collect())
}

/// For people: what becomes of a commit whose check ran out of time or memory.
fn tried_again(again: Option<Duration>) -> Diagnostic {
    match again {
        Some(wait) => {
            let message =
                format!("the check may have had too little of the machine: it is tried again in {} s", wait.as_secs());
            Diagnostic::warning("", message).help("There is nothing to do, unless it runs out again.")
        }
        None => Diagnostic::warning("", "the check ran out each time that it was tried, and is not tried again")
            .help("Commit again when the policy is mended, or restart the hub when the machine was at fault."),
    }
}

/// Blobs, revision and policies in one transaction: an agent that hears of the bundle finds all of it.
async fn serve(
    app: &App,
    commit: &Commit,
    findings: Vec<Finding>,
    bundle: NewBundle,
    blobs: Vec<(Digest, Vec<u8>)>,
) -> anyhow::Result<()> {
    let now = app.now();
    let mut tx = app.begin_as_leader().await?;
    for (digest, content) in &blobs {
        tx.save_blob(digest, content, now).await?;
    }
    let checked = Checked { commit, diagnostics: &findings, bundle: Some(&bundle) };
    tx.save_revision(&checked, now).await?;
    tx.commit().await.context("recording the revision")
}

async fn refuse(
    app: &App,
    commit: &Commit,
    diagnostics: Vec<Diagnostic>,
    files: &[SourceFile],
) -> anyhow::Result<Verdict> {
    let diagnostics = bounded(diagnostics);
    let findings = with_excerpts(diagnostics.clone(), files);
    let mut tx = app.begin_as_leader().await?;
    let checked = Checked { commit, diagnostics: &findings, bundle: None };
    tx.save_revision(&checked, app.now()).await?;
    tx.commit().await.context("recording the refused commit")?;
    Ok(Verdict::Refused(diagnostics))
}

/// The indexes, of everything and of each class, and those files that are not stored yet, compressed.
async fn new_blobs(
    app: &App,
    statements: Statements,
    files: Vec<SourceFile>,
) -> anyhow::Result<Vec<(Digest, Vec<u8>)>> {
    let mut digests: Vec<Digest> = statements.index.files.iter().map(|file| file.digest).collect();
    let indexes = statements.indexes().into_iter().map(|(digest, text)| (digest, text.into()));
    let mut wanted: Vec<(Digest, std::sync::Arc<str>)> = indexes.collect();
    digests.extend(wanted.iter().map(|(digest, _)| *digest));
    wanted.extend(files.into_iter().map(|file| (file.digest(), file.text)));
    let known = app.store.known_blobs(&digests, app.now()).await.context("reading blobs")?;
    wanted.retain(|(digest, _)| digests.contains(digest) && !known.contains(digest));
    let compressed = tokio::task::spawn_blocking(move || {
        wanted.into_iter().map(|(digest, text)| Ok((digest, gzip(text.as_bytes())?))).collect::<std::io::Result<_>>()
    });
    compressed.await?.context("compressing blobs")
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 2), Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

/// Whether the file is the one that says what the fleet is.
fn holds_fleet(file: &SourceFile) -> bool {
    file.is_yaml() && file.text.lines().any(|line| line.trim_end() == "kind: Fleet")
}

/// A policy with the Markdown page of its code, `docs/<CODE>.md` beside the policies or at the top.
fn with_page(policy: PolicyInfo, files: &[SourceFile]) -> (PolicyInfo, String) {
    let beside = format!("/docs/{}.md", policy.code);
    let page = files.iter().find(|file| file.path == beside[1..] || file.path.ends_with(&beside));
    let page = page.map(|file| cut(&file.text, MAX_PAGE_BYTES)).unwrap_or_default();
    (policy, page)
}

/// The text, cut between characters.
fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

/// Diagnostics quote what authors wrote, so they are bounded before they are stored.
fn bounded(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| !diagnostic.is_error());
    diagnostics.truncate(MAX_DIAGNOSTICS);
    for diagnostic in &mut diagnostics {
        for text in [&mut diagnostic.message, &mut diagnostic.path].into_iter().chain(diagnostic.help.as_mut()) {
            *text = text.chars().filter(|c| !c.is_control() || *c == '\n').take(MAX_TEXT).collect();
        }
    }
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    diagnostics
}
