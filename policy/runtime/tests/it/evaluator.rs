//! One review stays on one worker; bundles are swapped on all or on none.

use crate::{file, policy};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use writ_policy::{Budget, DenyLevel, Inventory, NoInventory, Revision, Settings, SourceFile};
use writ_runtime::evaluator::EvaluateError;
use writ_runtime::{Evaluator, EvaluatorConfig};

fn evaluator(workers: usize, queue: usize, namespaces: impl Inventory + Send + Sync + 'static) -> Evaluator {
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

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
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
    let evaluator = evaluator(3, 100, NoInventory);
    let before = evaluator.decide(review("shop", "long"), 0, soon()).await.unwrap();
    assert!(before.revision.is_none() && before.decided.decision.is_allowed());

    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    assert_eq!(evaluator.policies().len(), 1);
    for _ in 0..20 {
        let answered = evaluator.decide(review("shop", "long"), 0, soon()).await.unwrap();
        assert_eq!(answered.revision, Some(revision('a')));
        let answer: serde_json::Value = serde_json::from_slice(&answered.response).unwrap();
        assert_eq!(answer["response"]["allowed"], false);
        assert_eq!(answer["response"]["status"]["message"], "[FAIL] HIGH - too long (WR1001)");
    }
}

#[tokio::test]
async fn files_with_errors_change_nothing() {
    let evaluator = evaluator(2, 100, NoInventory);
    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    assert!(!apply(&evaluator, 'b', vec![file("bad.rego", "package writ.bad\n\ndeny contains")]).await);

    assert_eq!(evaluator.policies().len(), 1);
    let answered = evaluator.decide(review("shop", "long"), 0, soon()).await.unwrap();
    assert_eq!(answered.revision, Some(revision('a')));
    assert!(!answered.decided.decision.is_allowed());
}

#[tokio::test]
async fn bytes_that_are_no_review_are_told_so() {
    let evaluator = evaluator(1, 1, NoInventory);
    let error = evaluator.decide(Bytes::from_static(b"{}"), 0, soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "not an AdmissionReview: `apiVersion` is missing");
}

/// Panics for the namespace `panic`; waits for the `wait` one until the test lets it go.
struct Odd {
    waiting: std::sync::Mutex<Receiver<()>>,
}

impl Inventory for Odd {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
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

    let error = evaluator.decide(review("panic", "long"), 0, soon()).await.unwrap_err();
    assert!(matches!(error, EvaluateError::Panicked), "{error:?}");

    let answered = evaluator.decide(review("shop", "long"), 0, soon()).await.unwrap();
    assert!(!answered.decided.decision.is_allowed());
}

#[tokio::test]
async fn full_queue_refuses_at_once() {
    let (go, waiting) = channel();
    let evaluator = evaluator(1, 1, Odd { waiting: waiting.into() });
    assert!(apply(&evaluator, 'a', vec![policy()]).await);

    let decide = |namespace| evaluator.decide(review(namespace, "web"), 0, soon());
    let (held, second, third, ()) = tokio::join!(decide("wait"), decide("shop"), decide("shop"), async {
        // Polled last: all three reviews were handed in, and the one worker can hold no more than the first.
        go.send(()).unwrap();
    });
    let refused = [held, second, third].into_iter().filter(|answer| matches!(answer, Err(EvaluateError::Busy(1))));
    assert!(refused.count() >= 1);
}

#[tokio::test]
async fn review_is_answered_before_its_deadline_by_the_policies_that_end() {
    let evaluator = evaluator(1, 1, NoInventory);
    let endless = "# METADATA\n# title: Never ends\n# custom: {code: WR1000, severity: LOW, kinds: [Pod], on_error: allow}\n\
        package writ.endless\n\ndeny contains \"never\" if {\n\tsome a in numbers.range(1, 30000)\n\t\
        some b in numbers.range(1, 30000)\n\ta * b == -1\n}\n";
    assert!(apply(&evaluator, 'a', vec![policy(), file("endless.rego", endless)]).await);

    let deadline = Instant::now() + Duration::from_secs(1);
    let answered = evaluator.decide(review("shop", "long"), 0, deadline).await.unwrap();

    let said: Vec<_> = answered.decided.decision.results.iter().map(|result| result.messages().join("")).collect();
    assert!(said[0].contains("ran longer than its budget") && !said[0].contains("of 500 ms"), "{said:?}");
    assert_eq!(said[1], "[FAIL] HIGH - too long (WR1001)");
}

/// Never ends for an object named `slow`.
const SOMETIMES_SLOW: &str = "# METADATA\n# title: Slow\n# custom:\n#   code: WR1002\n#   severity: HIGH\n#   kinds: [Pod]\n\
    package writ.slow\n\nnumbers_ := numbers.range(1, 3000)\n\n\
    deny contains \"found\" if {\n\tinput.review.object.metadata.name == \"slow\"\n\tsome x in numbers_\n\tsome y in numbers_\n\tx * y == -1\n}\n";

#[tokio::test]
async fn policy_that_exceeds_its_budget_thrice_is_put_aside_alone_until_its_term_ends() {
    let budget = Budget { per_policy: Duration::from_millis(60), ..Budget::default() };
    let evaluator = Evaluator::start(EvaluatorConfig { workers: 2, queue: 10, budget }, Arc::new(NoInventory));
    assert!(apply(&evaluator, 'a', vec![policy(), file("slow.rego", SOMETIMES_SLOW)]).await);
    let decide = async |name, now| evaluator.decide(review("shop", name), now, soon()).await.unwrap();
    let said = |answered: &writ_runtime::Answered| {
        let results = &answered.decided.decision.results;
        results.iter().flat_map(writ_policy::PolicyResult::messages).collect::<Vec<_>>().join(" | ")
    };

    for now in 0..3 {
        assert_eq!(evaluator.quarantined(now), []);
        assert!(said(&decide("slow", now).await).contains("it ran longer than its budget of 60 ms"));
    }

    let quarantined = evaluator.quarantined(3);
    assert_eq!(quarantined.iter().map(|found| found.policy.as_str()).collect::<Vec<_>>(), ["WR1002"]);
    for _ in 0..4 {
        let answer = said(&decide("long", 3).await);
        assert!(answer.contains("too long (WR1001)") && answer.contains("it is in quarantine"), "{answer}");
    }
    let free = quarantined[0].until;
    assert_eq!(evaluator.quarantined(free), []);
    assert_eq!(said(&decide("web", free).await), "");
    assert!(said(&decide("slow", free).await).contains("it ran longer"));
    assert_eq!(evaluator.quarantined(free), [], "it passed before it offended again");
}

#[tokio::test]
async fn new_bundle_sets_policies_free() {
    let budget = Budget { per_policy: Duration::from_millis(60), ..Budget::default() };
    let evaluator = Evaluator::start(EvaluatorConfig { workers: 1, queue: 10, budget }, Arc::new(NoInventory));
    assert!(apply(&evaluator, 'a', vec![file("slow.rego", SOMETIMES_SLOW)]).await);
    for now in 0..3 {
        evaluator.decide(review("shop", "slow"), now, soon()).await.unwrap();
    }
    assert_eq!(evaluator.quarantined(3).len(), 1);

    assert!(apply(&evaluator, 'b', vec![file("slow.rego", SOMETIMES_SLOW)]).await);

    assert_eq!(evaluator.quarantined(3), []);
    let answered = evaluator.decide(review("shop", "web"), 3, soon()).await.unwrap();
    assert!(answered.decided.decision.objections().next().is_none());
}

/// Remembers in which order it was asked; waits for the namespace `first` until the test lets it go.
struct Order {
    asked: std::sync::Mutex<Vec<String>>,
    waiting: std::sync::Mutex<Receiver<()>>,
}

impl Inventory for Order {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.asked.lock().unwrap().push(name.to_owned());
        if name == "first" {
            let _ = self.waiting.lock().unwrap().recv();
        }
        None
    }
}

#[tokio::test]
async fn reviews_go_before_objects_that_wait_to_be_audited() {
    let (go, waiting) = channel();
    let order = Arc::new(Order { asked: std::sync::Mutex::default(), waiting: waiting.into() });
    let config = EvaluatorConfig { workers: 1, queue: 10, budget: Budget::default() };
    let evaluator = Evaluator::start(config, order.clone());
    assert!(apply(&evaluator, 'a', vec![policy()]).await);
    assert_eq!(evaluator.targets()[0].kind, "Pod");

    let decide = |namespace: &'static str| evaluator.decide(review(namespace, "long"), 0, soon());
    let audit = evaluator.audit(review("audit", "long"), 0);
    let release = async { go.send(()).unwrap() };
    let (_, audited, ..) = tokio::join!(biased; decide("first"), audit, decide("second"), release);

    let audited = audited.unwrap();
    assert!(!audited.decided.decision.is_allowed());
    assert_eq!(audited.revision, Some(revision('a')));
    assert_eq!(*order.asked.lock().unwrap(), ["first", "second", "audit"]);
}

/// Compares for ever when it is asked about `stuck`. It has no plan, because of its `with`, so that nothing looks
/// through what it builds.
fn endless() -> SourceFile {
    let doubled = |name: &str| {
        let rules = (1..=60).map(|at| format!("{name}{at} := [{name}{}, {name}{}]\n", at - 1, at - 1));
        format!("{name}0 := [input.review.name]\n{}", rules.collect::<String>())
    };
    let head = "# METADATA\n# title: Endless\n# description: Endless.\n# custom:\n#   code: WR1002\n#   severity: HIGH\n#   kinds: [Pod]\n#   on_error: allow\npackage writ.endless\n\n";
    let rule = "deny contains \"no\" if {\n    input.review.name == \"stuck\"\n    one := 1 with input.other as 1\n    one == 1\n    a60 == b60\n}\n";
    file("endless.rego", &format!("{head}{}{}{rule}", doubled("a"), doubled("b")))
}

#[tokio::test]
async fn policy_that_cannot_be_stopped_costs_one_review_and_is_put_aside() {
    let budget = Budget { per_policy: Duration::from_millis(50), per_review: Duration::from_millis(100) };
    let config = EvaluatorConfig { workers: 1, queue: 10, budget };
    let evaluator = Evaluator::start(config, Arc::new(NoInventory));
    assert!(apply(&evaluator, 'a', vec![policy(), endless()]).await);

    let error = evaluator.decide(review("shop", "stuck"), 5, soon()).await.unwrap_err();
    assert!(matches!(error, EvaluateError::Stuck), "{error:?}");

    let aside: Vec<String> = evaluator.quarantined(6).into_iter().map(|found| found.policy.to_string()).collect();
    assert_eq!(aside, ["WR1002"]);
    let answered = evaluator.decide(review("shop", "stuck"), 7, soon()).await.unwrap();
    assert_eq!(answered.revision, Some(revision('a')));
    let outcomes = answered.decided.decision.results.iter().map(|result| format!("{:?}", result.outcome));
    assert!(outcomes.collect::<String>().contains("quarantine"));
}
