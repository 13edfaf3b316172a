//! What is taken of violations and of passes of audit.

use super::{MAX_COUNT, MAX_NAME, MAX_WORD, capped, cut, set_right, within};
use writ_policy::wire::{self, AuditPass, Fixed, Violation, ViolationKey};

/// The most passes in one report, and the most kinds that one could not look at.
pub(super) const MAX_PASSES: usize = 16;
const MAX_UNSEEN: usize = 1_000;

pub(super) fn accept(violation: &mut Violation, now: i64) -> Result<(), String> {
    violation.at = set_right(violation.at, now)?;
    accept_key(&mut violation.key);
    violation.message = capped(&violation.message, wire::MAX_MESSAGE_BYTES);
    violation.because = cut(&violation.because, MAX_WORD);
    violation.exemption = violation.exemption.as_deref().map(|name| cut(name, MAX_NAME));
    violation.name = cut(&violation.name, MAX_NAME);
    violation.uid = cut(&violation.uid, MAX_WORD);
    violation.objects = violation.objects.min(MAX_COUNT);
    Ok(())
}

pub(super) fn accept_fixed(fixed: &mut Fixed, now: i64) -> Result<(), String> {
    fixed.at = set_right(fixed.at, now)?;
    accept_key(&mut fixed.key);
    Ok(())
}

pub(super) fn accept_pass(pass: &mut AuditPass, now: i64) -> Result<(), String> {
    within("unseen", pass.unseen.len(), MAX_UNSEEN)?;
    if pass.started_at > pass.finished_at {
        return Err("it ended before it began".into());
    }
    pass.started_at = set_right(pass.started_at, now)?;
    pass.finished_at = set_right(pass.finished_at, now)?;
    pass.objects = pass.objects.min(MAX_COUNT);
    for unseen in &mut pass.unseen {
        unseen.kind = cut(&unseen.kind, MAX_WORD);
        unseen.reason = capped(&unseen.reason, wire::MAX_MESSAGE_BYTES);
    }
    Ok(())
}

/// Cut in the same way wherever it is told, so that a long key stays the same key.
fn accept_key(key: &mut ViolationKey) {
    key.kind = cut(&key.kind, MAX_WORD);
    key.workload = cut(&key.workload, MAX_NAME);
}
