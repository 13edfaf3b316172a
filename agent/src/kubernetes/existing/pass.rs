//! The looks themselves: which kinds, in which order, and what is told at the end.

use super::{Existing, Memory};
use crate::clock;
use crate::kubernetes::kinds::{Kinds, namespaces};
use crate::objects::Resource;
use std::collections::BTreeSet;
use std::time::Instant;
use tracing::{debug, info};
use writ_policy::wire::{AuditPass, UnseenKind};

/// The most kinds that a pass names as unseen.
const MOST_UNSEEN: usize = 200;

impl Existing {
    /// Every object of every kind that policies judge, and the word to the hub that it was so.
    pub(super) async fn pass(&self, kinds: &mut Kinds) -> Result<(), String> {
        let (started, started_at) = (Instant::now(), clock::now());
        let revision = self.auditor.revision().ok_or("no policies are enforced yet")?;
        // Without Namespaces many verdicts would be others than at admission.
        self.followers.relist(&namespaces(), None, false).await.map_err(|reason| format!("Namespaces: {reason}"))?;
        *kinds = Kinds::discover(&self.reader).await.map_err(|problem| problem.to_string())?;
        let judged = self.follow(kinds).await;
        let (mut objects, mut unseen) = (0, vec![]);
        for resource in &judged {
            self.auditor.take_unjudged();
            match self.followers.relist(resource, None, true).await {
                Ok(found) => objects += found,
                Err(reason) => unseen.push(UnseenKind { kind: resource.group_kind(), reason }),
            }
            let unjudged = self.auditor.take_unjudged();
            if unjudged > 0 {
                let reason = format!("{unjudged} of its objects could not be judged");
                unseen.push(UnseenKind { kind: resource.group_kind(), reason });
            }
        }
        if self.wanted.has_changed().unwrap_or_default() {
            // Part of it was judged by what is no longer enforced; the next pass begins at once.
            self.auditor.tell().await;
            return Ok(());
        }
        self.tell(started, AuditPass { started_at, finished_at: clock::now(), revision, objects, unseen }).await;
        Ok(())
    }

    async fn tell(&self, started: Instant, mut pass: AuditPass) {
        let metrics = &self.health.metrics.audit;
        let milliseconds = started.elapsed().as_millis();
        metrics.objects.set(i64::try_from(pass.objects).unwrap_or(i64::MAX));
        metrics.pass_seconds.set(started.elapsed().as_secs_f64());
        metrics.unseen_kinds.set(pass.unseen.len() as i64);
        metrics.last_pass.set(pass.finished_at / 1000);
        self.health.status.set_unaudited("*", None);
        for unseen in &pass.unseen {
            self.health.status.set_unaudited(&unseen.kind, Some(unseen.reason.clone()));
        }
        pass.unseen.truncate(MOST_UNSEEN);
        let (objects, unseen) = (pass.objects, pass.unseen.len());
        info!(
            objects,
            unseen,
            duration_ms = milliseconds as u64,
            "existing objects are audited: {objects} were judged"
        );
        self.auditor.tell_pass(pass).await;
    }

    /// Looks at what policies judge, and leaves the rest alone; the kinds in their order.
    async fn follow(&self, kinds: &Kinds) -> Vec<Resource> {
        let targets = self.evaluator.targets();
        let targets: Vec<&str> = targets.iter().map(|target| target.kind.as_str()).collect();
        let judged = kinds.judged(&targets, &self.consumers().kept());
        self.followers.audit(judged.iter().cloned().collect()).await;
        judged
    }

    /// Kinds that appeared are looked at, those that vanished are forgotten.
    pub(super) async fn look_for_kinds(&self, memory: &mut Memory) {
        let Ok(found) = Kinds::discover(&self.reader).await else { return };
        if found == memory.kinds {
            return;
        }
        let targets = self.evaluator.targets();
        let targets: Vec<&str> = targets.iter().map(|target| target.kind.as_str()).collect();
        let kept = self.consumers().kept();
        let before: BTreeSet<Resource> = memory.kinds.judged(&targets, &kept).into_iter().collect();
        memory.kinds = found;
        for resource in self.follow(&memory.kinds).await.iter().filter(|resource| !before.contains(*resource)) {
            let listed = self.followers.relist(resource, None, false).await;
            debug!(?listed, "{} is looked at from now on", resource.group_kind());
        }
    }

    /// Objects of namespaces whose labels or annotations changed, because these can decide.
    pub(super) async fn judge_namespaces(&self, memory: &Memory) {
        let targets = self.evaluator.targets();
        let targets: Vec<&str> = targets.iter().map(|target| target.kind.as_str()).collect();
        let judged = memory.kinds.judged(&targets, &self.consumers().kept());
        for namespace in self.consumers().take_unsettled() {
            for resource in judged.iter().filter(|resource| resource.namespaced) {
                // What cannot be listed was said when it was tried for the whole kind.
                let listed = self.followers.relist(resource, Some(&namespace), false).await;
                debug!(?listed, "{} of a changed namespace", resource.group_kind());
            }
        }
    }

    /// Objects of kinds whose policies look at other objects, because these changed.
    pub(super) async fn judge_readers(&self, memory: &Memory) {
        let targets = self.evaluator.targets();
        let readers = targets.iter().filter(|target| target.reads_others);
        let readers: Vec<&str> = readers.map(|target| target.kind.as_str()).collect();
        for resource in memory.kinds.judged(&readers, &self.consumers().kept()) {
            let listed = self.followers.relist(&resource, None, false).await;
            debug!(?listed, "{} judged by other objects", resource.group_kind());
        }
    }
}
