//! Open violations as PolicyReports or OpenReports, for others' tools: one report for each namespace and one for the
//! cluster. Off unless asked for. Bounded, written only when something changed and no faster than the API server is
//! asked for objects; the hub's pages never read them.

mod shape;

use super::reader::{ReadError, Reader};
use crate::audit::Auditor;
use crate::config::PolicyReports;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde_json::Value;
use shape::{Sorted, sort};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writ_runtime::Evaluator;

/// How often changes are written.
const WRITE_EVERY: Duration = Duration::from_secs(15);
/// The name of every report.
const NAME: &str = "writ";
/// What all of them have.
const LABEL: &str = "app.kubernetes.io/managed-by";
const MANAGER: &str = "writ-agent";
/// Reports of one page of the list.
const PAGE: u32 = 500;

/// The loop's parts.
pub(super) struct Reports {
    pub(super) reader: Reader,
    pub(super) auditor: Arc<Auditor>,
    pub(super) evaluator: Evaluator,
    pub(super) format: PolicyReports,
}

/// What the API server has, by namespace: a hash of each report. `None` is the cluster's.
type Written = BTreeMap<Option<Arc<str>>, u64>;

impl Reports {
    /// Runs until shutdown. While another replica audits, nothing is known and nothing written.
    pub(super) async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let (mut written, mut version, mut failed): (Option<Written>, _, _) = (None, 0, false);
        loop {
            tokio::select! {
                () = tokio::time::sleep(WRITE_EVERY) => {}
                () = shutdown.cancelled() => return Ok(()),
            }
            let now = self.auditor.complete_version();
            let Some(now) = now else {
                written = None;
                continue;
            };
            if written.is_some() && now == version && !failed {
                continue;
            }
            let outcome = tokio::select! {
                outcome = self.write(&mut written) => outcome,
                () = shutdown.cancelled() => return Ok(()),
            };
            version = now;
            match outcome {
                Ok(()) => failed = false,
                Err(problem) => {
                    if !failed {
                        warn!(error = problem.to_string(), "reports for other tools cannot be written");
                    }
                    (failed, written) = (true, None);
                }
            }
        }
    }

    /// Makes the reports equal to what is open.
    async fn write(&self, written: &mut Option<Written>) -> Result<(), ReadError> {
        let known = match written.take() {
            Some(known) => known,
            None => self.list().await?,
        };
        let known = written.insert(known);
        let Sorted { reports, left_out } = sort(self.auditor.open());
        if left_out > 0 {
            warn!(left_out, "there are more namespaces with violations than reports are written for");
        }
        let policies = self.evaluator.policies();
        for (namespace, open) in &reports {
            let report = shape::report(self.format, namespace.as_deref(), open, &policies);
            let hash = hash_of(&report);
            if known.get(namespace) != Some(&hash) {
                self.apply(namespace.as_deref(), &report).await?;
                known.insert(namespace.clone(), hash);
            }
        }
        let gone: BTreeSet<_> = known.keys().filter(|namespace| !reports.contains_key(*namespace)).cloned().collect();
        for namespace in gone {
            self.delete(namespace.as_deref()).await?;
            known.remove(&namespace);
        }
        Ok(())
    }

    /// The reports that there are; what they say is not compared.
    async fn list(&self) -> Result<Written, ReadError> {
        let mut written = Written::new();
        for (namespaced, api) in [(true, Api::all_with(self.client(), &self.kind(true))), (false, self.api(None))] {
            let mut wanted = ListParams::default().labels(&format!("{LABEL}={MANAGER}")).limit(PAGE);
            loop {
                self.reader.turn().await;
                let page: kube::core::ObjectList<DynamicObject> = api.list(&wanted).await?;
                let names = page.items.iter().filter(|report| report.metadata.name.as_deref() == Some(NAME));
                let namespaces = names.map(|report| report.metadata.namespace.as_deref().map(Arc::from));
                written.extend(namespaces.filter(|it: &Option<Arc<str>>| it.is_some() == namespaced).map(|it| (it, 0)));
                wanted.continue_token = page.metadata.continue_.filter(|more| !more.is_empty());
                if wanted.continue_token.is_none() {
                    break;
                }
            }
        }
        Ok(written)
    }

    async fn apply(&self, namespace: Option<&str>, report: &Value) -> Result<(), ReadError> {
        self.reader.turn().await;
        let how = PatchParams::apply(MANAGER).force();
        match self.api(namespace).patch(NAME, &how, &Patch::Apply(report)).await {
            // The namespace may be on its way out.
            Err(kube::Error::Api(status)) if status.code == 404 && namespace.is_some() => Ok(()),
            other => other.map(drop).map_err(ReadError::from),
        }
    }

    async fn delete(&self, namespace: Option<&str>) -> Result<(), ReadError> {
        self.reader.turn().await;
        match self.api(namespace).delete(NAME, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            other => other.map(drop).map_err(ReadError::from),
        }
    }

    fn api(&self, namespace: Option<&str>) -> Api<DynamicObject> {
        let kind = self.kind(namespace.is_some());
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &kind),
            None => Api::all_with(self.client(), &kind),
        }
    }

    fn kind(&self, namespaced: bool) -> ApiResource {
        let shape::Kind { group, version, kind, plural } = shape::kind(self.format, namespaced);
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    fn client(&self) -> kube::Client {
        self.reader.client.clone()
    }
}

fn hash_of(report: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    report.to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::{Script, absent};
    use crate::metrics::Metrics;
    use crate::status::Status;
    use serde_json::json;
    use writ_policy::{Budget, NoInventory};
    use writ_runtime::EvaluatorConfig;

    #[tokio::test]
    async fn reports_of_namespaces_that_are_clean_are_removed() {
        let page = |items: Value| (200, json!({"metadata": {}, "items": items}));
        let old = json!({"apiVersion": "openreports.io/v1alpha1", "kind": "Report",
            "metadata": {"name": "writ", "namespace": "shop"}});
        let script = Script::new()
            .expect("GET", "/apis/openreports.io/v1alpha1/reports", page(json!([old])))
            .expect("GET", "/apis/openreports.io/v1alpha1/clusterreports", page(json!([])))
            .expect("DELETE", "/apis/openreports.io/v1alpha1/namespaces/shop/reports/writ", absent());
        let config = EvaluatorConfig {
            workers: 1,
            queue: 1,
            budget: Budget { per_policy: Duration::from_secs(1), per_review: Duration::from_secs(1) },
        };
        let evaluator = Evaluator::start(config, Arc::new(NoInventory));
        let metrics = Arc::new(Metrics::new());
        let status = Arc::new(Status::new(uuid::Uuid::now_v7(), 0));
        let (news, _told) = tokio::sync::mpsc::channel(1);
        let auditor = Arc::new(Auditor::new(evaluator.clone(), news, status, metrics.clone()));
        assert_eq!(auditor.complete_version(), None, "before the first pass nothing is known");
        let reader = Reader::new(script.client(), metrics);
        let reports = Reports { reader, auditor, evaluator, format: PolicyReports::Openreports };
        let mut written = None;
        reports.write(&mut written).await.unwrap();
        assert_eq!(written, Some(Written::new()));
        script.assert_done();
    }
}
