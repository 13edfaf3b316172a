//! What Prometheus can ask about existing objects.

use super::registered;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// Of audit, and of the objects that policies see.
#[derive(Debug)]
pub struct AuditMetrics {
    /// Objects that were judged.
    pub judged: Counter,
    /// Objects that could not be.
    pub unjudged: Counter,
    /// Violations that are known.
    pub violations: Gauge,
    /// Objects of the last full pass.
    pub objects: Gauge,
    /// When the last full pass ended, Unix seconds.
    pub last_pass: Gauge,
    /// How long it took.
    pub pass_seconds: Gauge<f64, AtomicU64>,
    /// Kinds that could not be looked at.
    pub unseen_kinds: Gauge,
    /// Objects that policies see.
    pub replicated_objects: Gauge,
    /// Their bytes.
    pub replicated_bytes: Gauge,
    /// Requests for objects, made of the API server.
    pub requests: Counter,
}

impl AuditMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            judged: registered(r, "audit_judged", "Existing objects that were judged"),
            unjudged: registered(r, "audit_unjudged", "Existing objects that could not be judged"),
            violations: registered(r, "audit_violations", "Violations of existing objects that are known"),
            objects: registered(r, "audit_objects", "Existing objects that the last full pass judged"),
            last_pass: registered(r, "audit_last_pass_timestamp_seconds", "When the last full pass ended"),
            pass_seconds: registered(r, "audit_pass_duration_seconds", "How long the last full pass took"),
            unseen_kinds: registered(r, "audit_unseen_kinds", "Kinds that policies judge and audit cannot look at"),
            replicated_objects: registered(r, "replicated_objects", "Objects of the cluster that policies see"),
            replicated_bytes: registered(r, "replicated_bytes", "Bytes of the objects that policies see"),
            requests: registered(r, "object_requests", "Requests for objects made of the API server"),
        }
    }
}
