//! One review stays on one worker; bundles are swapped on all or on none.

use crate::{file, policy};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use writ_policy::{Budget, DenyLevel, Namespaces, NoNamespaces, Revision, Settings, SourceFile};
use writ_runtime::evaluator::EvaluateError;
use writ_runtime::{Evaluator, EvaluatorConfig};

fn evaluator(workers: usize, queue: usize, namespaces: impl Namespaces + Send + Sync + 'static) -> Evaluator {
    Evaluator::start(EvaluatorConfig { workers, queue, budget: Budget::default() }, Arc::new(namespaces))
}

fn review(namespace: &str, name: &str) -> Bytes {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"1","operation":"CREATE",
        "kind":{{"group":"","version":"v1","kind":"Pod"}},"namespace":"{namespace}","name":"{name}",
        "object":{{"metadata":{{"name":"{name}"}}}}}}}}"#
    )
    .into()
}

fn revision(digit: char) -> Revision {
    Revision::new(digit.to_string().repeat(40)).unwrap()
}

fn strict() -> Settings {
    Settings { deny_level: DenyLevel::High, ..Settings::default() }
}

async fn apply(evaluator: &Evaluator, digit: char, files: Vec<SourceFile>) -> bool {
    evaluator.apply(revision(digit), files.into(), strict()).await.unwrap().is_ok()
}

#[tokio::test]
async fn applied_policies_decide_on_every_worker() {
    let evaluator = evaluator(3, 100, NoNamespaces);
    let before = evaluator.decide(review("shop", "long"), 0).await.unwrap();
    assert!(before.revision.is_none() && before.decided.decision.is_allowed());

    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    assert_eq!(evaluator.policies().len(), 1);
    for _ in 0..20 {
        let answered = evaluator.decide(review("shop", "long"), 0).await.unwrap();
        assert_eq!(answered.revision, Some(revision('a')));
        let answer: serde_json::Value = serde_json::from_slice(&answered.response).unwrap();
        assert_eq!(answer["response"]["allowed"], false);
        assert_eq!(answer["response"]["status"]["message"], "[FAIL] HIGH - too long (WR1001)");
    }
}

#[tokio::test]
async fn files_with_errors_change_nothing() {
    let evaluator = evaluator(2, 100, NoNamespaces);
    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    assert!(!apply(&evaluator, 'b', vec![file("bad.rego", "package writ.bad\n\ndeny contains")]).await);

    assert_eq!(evaluator.policies().len(), 1);
    let answered = evaluator.decide(review("shop", "long"), 0).await.unwrap();
    assert_eq!(answered.revision, Some(revision('a')));
    assert!(!answered.decided.decision.is_allowed());
}

#[tokio::test]
async fn bytes_that_are_no_review_are_told_so() {
    let evaluator = evaluator(1, 1, NoNamespaces);
    let error = evaluator.decide(Bytes::from_static(b"{}"), 0).await.unwrap_err();
    assert_eq!(error.to_string(), "not an AdmissionReview: `apiVersion` is missing");
}

/// Panics for the namespace `panic`; waits for the `wait` one until the test lets it go.
struct Odd {
    waiting: std::sync::Mutex<Receiver<()>>,
}

impl Namespaces for Odd {
    fn find(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "panic" => panic!("the test asked for it"),
            "wait" => drop(self.waiting.lock().unwrap().recv()),
            _ => {}
        }
        None
    }
}

#[tokio::test]
async fn panic_is_one_reviews_error_and_the_worker_lives_on() {
    let (_go, waiting) = channel();
    let evaluator = evaluator(1, 10, Odd { waiting: waiting.into() });
    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    let error = evaluator.decide(review("panic", "long"), 0).await.unwrap_err();
    assert!(matches!(error, EvaluateError::Panicked), "{error:?}");

    let answered = evaluator.decide(review("shop", "long"), 0).await.unwrap();
    assert!(!answered.decided.decision.is_allowed());
}

#[tokio::test]
async fn full_queue_refuses_at_once() {
    let (go, waiting) = channel();
    let evaluator = evaluator(1, 1, Odd { waiting: waiting.into() });
    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    let decide = |namespace| evaluator.decide(review(namespace, "web"), 0);
    let (held, second, third, ()) = tokio::join!(decide("wait"), decide("shop"), decide("shop"), async {
        // Polled last: all three reviews were handed in, and the one worker can hold no more than the first.
        go.send(()).unwrap();
    });
    let refused = [held, second, third].into_iter().filter(|answer| matches!(answer, Err(EvaluateError::Busy(1))));
    assert!(refused.count() >= 1);
}
