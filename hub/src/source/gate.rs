//! Whether a new head may be followed at all, before anything of it is read: history is not rewritten unless an
//! operator said so, and commits are signed where that is asked for.

use super::signers::Signers;
use crate::config::RequireSignatures;
use crate::repository::{Commit, Mirror};
use anyhow::Context;
use writ_policy::{Diagnostic, Revision};

/// The most commits of one push whose signatures are verified.
const MAX_VERIFIED: usize = 2_000;

/// What is known of the past when a new head appears.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// The head that was followed last.
    pub(super) last: Option<Revision>,
    /// The head that an operator allowed although history was rewritten, or a commit before it is not signed.
    pub(super) allowed: Option<Revision>,
}

/// What came of a look at a head.
pub(super) enum Passage {
    /// It may be followed; the head as it is now known, and the commits before it that are new.
    Open(Commit, Vec<Commit>),
    /// It may not; the first is why.
    Closed(Commit, Vec<Diagnostic>),
}

/// Decides about one head of what is called so.
pub(super) async fn judge(
    mirror: &Mirror,
    signers: &Signers,
    reference: &str,
    past: Past,
    head: &Revision,
) -> anyhow::Result<Passage> {
    let (base, mut commit, since) = {
        let (mirror, past, head) = (mirror.clone(), past.clone(), head.clone());
        let look = move || {
            let base = base(&mirror, &past, &head)?;
            let from = base.as_ref().ok().and_then(Option::as_ref);
            let since = mirror.since(from, &head, MAX_VERIFIED + 1)?;
            anyhow::Ok((base, mirror.commit(&head)?, since))
        };
        tokio::task::spawn_blocking(look).await??
    };
    if let Err(last) = base {
        return Ok(Passage::Closed(commit, vec![rewritten(reference, &last, head)]));
    }
    let (mut findings, mut signer) = (vec![], None);
    let mut all = since.clone();
    if all.last().is_none_or(|last| last.revision != *head) {
        // Nothing is new to a head that an operator vouched for, or that the branch went back to.
        all.push(commit.clone());
    }
    let asked: &[Commit] = match signers.require() {
        RequireSignatures::Off => &[],
        RequireSignatures::Head => std::slice::from_ref(&commit),
        RequireSignatures::All if since.len() > MAX_VERIFIED => {
            findings.push(too_many(head));
            &[]
        }
        RequireSignatures::All => &all,
    };
    for one in asked {
        let signature = {
            let (mirror, revision) = (mirror.clone(), one.revision.clone());
            tokio::task::spawn_blocking(move || mirror.signature(&revision)).await??
        };
        let verified = signers.verify(signature.as_ref()).await.context("verifying a commit's signature")?;
        match verified {
            Ok(by) => signer = (one.revision == *head).then_some(by).or(signer),
            Err(reason) => findings.push(unsigned(one, &reason, one.revision == *head, head)),
        }
    }
    if !findings.is_empty() {
        return Ok(Passage::Closed(commit, findings));
    }
    commit.signed_by = signer.unwrap_or_default();
    let earlier = since.into_iter().filter(|earlier| earlier.revision != *head).collect();
    Ok(Passage::Open(commit, earlier))
}

/// What the head is compared with; the last head, when it is no part of the new history and nobody allowed that.
fn base(mirror: &Mirror, past: &Past, head: &Revision) -> anyhow::Result<Result<Option<Revision>, Revision>> {
    let Some(last) = &past.last else { return Ok(Ok(None)) };
    if let Some(allowed) = &past.allowed {
        // What was allowed long ago says nothing about what was followed since.
        if mirror.follows(head, allowed)? && !mirror.follows(last, allowed)? {
            return Ok(Ok(Some(allowed.clone())));
        }
        // Going back to what is in the history of the last head.
        if head == allowed {
            return Ok(Ok(Some(allowed.clone())));
        }
    }
    Ok(match mirror.follows(head, last)? {
        true => Ok(Some(last.clone())),
        false => Err(last.clone()),
    })
}

fn rewritten(reference: &str, last: &Revision, head: &Revision) -> Diagnostic {
    let last = last.short();
    let message = format!("the history of `{reference}` was rewritten: {last} is no longer part of it");
    Diagnostic::error("", message).help(format!(
        "If it was meant: `writ source allow {head}`. Protect the branch against forced pushes, so that its history \
         is a record."
    ))
}

fn unsigned(commit: &Commit, reason: &str, is_head: bool, head: &Revision) -> Diagnostic {
    let message = format!("commit {} by {} {reason}", commit.revision.short(), commit.author);
    Diagnostic::error("", message).help(match is_head {
        true => "Sign it with a key that the hub knows (`git commit --amend -S`) and push again.".to_owned(),
        false => format!(
            "Push history in which every commit is signed, or look at the commit and vouch for it: \
             `writ source allow {head}`."
        ),
    })
}

fn too_many(head: &Revision) -> Diagnostic {
    let message = format!("more than {MAX_VERIFIED} commits are new, and each must be signed");
    Diagnostic::error("", message).help(format!("Vouch for those before the head: `writ source allow {head}`."))
}
