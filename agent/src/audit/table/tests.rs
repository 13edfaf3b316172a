//! Life of violations in the table.

use super::*;
use writ_policy::wire::FailureOutcome;
use writ_policy::{Action, NamespaceName, PolicyCode, PolicyName};

const ONCE: Seen = Seen { generation: 1, retell: false };

fn moment(at: i64) -> Moment {
    Moment { at, revision: Revision::new("a".repeat(40)).unwrap() }
}

fn object(kind: &str, name: &str) -> ObjectKey {
    ObjectKey { kind: kind.into(), name: ObjectName { namespace: Some("shop".into()), name: name.into() } }
}

fn violation(kind: &str, name: &str, workload: &str) -> Violation {
    let key = ViolationKey {
        policy: PolicyName::new("probes").unwrap(),
        namespace: NamespaceName::new("shop").ok(),
        kind: kind.into(),
        workload: workload.into(),
    };
    Violation {
        key,
        at: 1,
        code: PolicyCode::new("WT1").unwrap(),
        severity: None,
        action: Action::Deny,
        because: String::new(),
        exemption: None,
        outcome: FailureOutcome::Fail,
        message: format!("{name} has no probe"),
        name: name.into(),
        uid: String::new(),
        objects: 1,
        revision: moment(0).revision,
    }
}

/// Violations with their numbers of objects, and fixed ones with the reason.
type Told = (Vec<(String, u64)>, Vec<(String, &'static str)>);

impl Table {
    fn see(&mut self, kind: &str, name: &str, workload: &str, seen: Seen) {
        let found = vec![violation(kind, name, workload)];
        self.judged(object(kind, name), seen, found, &moment(1), &|_| FixedReason::Passes);
    }

    fn pass(&mut self, kind: &str, name: &str) {
        self.judged(object(kind, name), ONCE, vec![], &moment(2), &|_| FixedReason::Passes);
    }

    /// Workloads that are told as violated, with the number of objects, and as fixed, with the reason.
    fn told(&mut self) -> Told {
        let (violations, fixed) = self.take(100);
        let name = |key: &ViolationKey| format!("{} {}", key.kind, key.workload);
        let mut violations: Vec<_> = violations.iter().map(|told| (name(&told.key), told.objects)).collect();
        violations.sort();
        (violations, fixed.iter().map(|told| (name(&told.key), told.reason.as_str())).collect())
    }
}

fn one(name: &str, objects: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), objects)]
}

#[test]
fn violation_is_told_once_until_it_changes_and_in_each_full_pass() {
    let mut table = Table::default();
    table.see("Service", "web", "Service/web", ONCE);
    assert_eq!(table.told(), (one("Service Service/web", 1), vec![]));
    table.see("Service", "web", "Service/web", ONCE);
    assert_eq!(table.told(), (vec![], vec![]));
    table.see("Service", "web", "Service/web", Seen { generation: 2, retell: true });
    assert_eq!(table.told(), (one("Service Service/web", 1), vec![]));
    let mut other = violation("Service", "web", "Service/web");
    other.action = Action::Warn;
    table.judged(object("Service", "web"), ONCE, vec![other], &moment(1), &|_| FixedReason::Passes);
    assert_eq!(table.told().0.len(), 1);
}

#[test]
fn violation_of_several_objects_is_fixed_with_the_last() {
    let mut table = Table::default();
    table.see("Pod", "web-1", "Foo/web", ONCE);
    table.see("Pod", "web-2", "Foo/web", ONCE);
    assert_eq!(table.told(), (one("Pod Foo/web", 2), vec![]));
    table.pass("Pod", "web-1");
    assert_eq!(table.told(), (vec![], vec![]));
    table.gone(&object("Pod", "web-2"), &moment(2));
    assert_eq!(table.told(), (vec![], vec![("Pod Foo/web".to_owned(), "gone")]));
    assert_eq!((table.open(), table.waiting()), (0, 0));
}

#[test]
fn what_a_list_no_longer_shows_is_gone() {
    let mut table = Table::default();
    table.see("Service", "web", "Service/web", ONCE);
    table.see("Service", "api", "Service/api", ONCE);
    table.told();
    table.see("Service", "web", "Service/web", Seen { generation: 2, retell: false });
    table.sweep("Service", Some("bank"), 2, &moment(3));
    assert_eq!(table.told(), (vec![], vec![]), "another namespace was listed");
    table.sweep("Service", None, 2, &moment(3));
    assert_eq!(table.told(), (vec![], vec![("Service Service/api".to_owned(), "gone")]));
}

#[test]
fn mended_before_it_was_told_is_never_told() {
    let mut table = Table::default();
    table.see("Service", "web", "Service/web", ONCE);
    table.pass("Service", "web");
    assert_eq!(table.told(), (vec![], vec![]));
}

#[test]
fn workload_speaks_for_its_pods_in_either_order() {
    let mut table = Table::default();
    table.see("Pod", "web-1-x", "Deployment/web", ONCE);
    assert_eq!(table.told(), (one("Pod Deployment/web", 1), vec![]));
    table.see("apps/Deployment", "web", "Deployment/web", ONCE);
    let gone = ("Pod Deployment/web".to_owned(), "gone");
    assert_eq!(table.told(), (one("apps/Deployment Deployment/web", 1), vec![gone]));
    table.see("Pod", "web-1-y", "Deployment/web", ONCE);
    assert_eq!(table.told(), (vec![], vec![]));
    table.pass("apps/Deployment", "web");
    table.see("Pod", "web-1-y", "Deployment/web", Seen { generation: 2, retell: true });
    assert_eq!(table.told().0, one("Pod Deployment/web", 2), "the pods are still wrong");
}

#[test]
fn cron_job_speaks_for_the_pods_of_its_jobs() {
    let mut table = Table::default();
    table.see("batch/CronJob", "backup", "CronJob/backup", ONCE);
    table.see("Pod", "backup-29384756-x", "Job/backup-29384756", ONCE);
    table.see("Pod", "import-x", "Job/import", ONCE);
    let told = table.told().0;
    assert_eq!(told, [("Pod Job/import".to_owned(), 1), ("batch/CronJob CronJob/backup".to_owned(), 1)]);
}

#[test]
fn kind_that_nobody_judges_any_more_is_fixed_by_policy() {
    let mut table = Table::default();
    table.see("Service", "web", "Service/web", ONCE);
    table.told();
    table.forget("Service", &moment(2), FixedReason::Policy);
    assert_eq!(table.told().1, [("Service Service/web".to_owned(), "policy")]);
}
