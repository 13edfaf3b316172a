//! What an exemption covers.

use super::*;
use crate::{Dialect, OnError, Severity};
use proptest::prelude::*;

fn policy() -> PolicyInfo {
    PolicyInfo {
        name: "short-names".parse().unwrap(),
        code: "WR1".parse().unwrap(),
        title: String::new(),
        description: String::new(),
        severity: Some(Severity::High),
        kinds: vec!["Pod".into()],
        dialect: Dialect::Writ,
        on_error: OnError::Deny,
        enabled: true,
        sets: vec!["restricted".into()],
        expand: true,
        namespaces: vec![],
        path: String::new(),
    }
}

fn facts() -> ReviewFacts {
    ReviewFacts {
        kind: "apps/Deployment".into(),
        namespace: "shop".into(),
        name: "web".into(),
        workload: "Deployment/web".into(),
        user: "ada".into(),
        ..ReviewFacts::default()
    }
}

fn exemption(change: impl Fn(&mut Exemption)) -> Exemption {
    let mut exemption = Exemption { policies: vec!["WR1".into()], expires_at: 100, ..Exemption::default() };
    change(&mut exemption);
    exemption
}

fn covers(change: impl Fn(&mut Exemption)) -> bool {
    exemption(change).covers(&policy(), Asked { facts: &facts(), groups: &["dev"] }, 50)
}

fn list(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn everything_that_is_listed_must_agree() {
    assert!(covers(|_| {}));
    assert!(covers(|it| it.policies = list("WR9 short-names")));
    assert!(covers(|it| it.policies = list("restricted")));
    assert!(!covers(|it| it.policies = list("WR9")));
    assert!(covers(|it| it.namespaces = list("sh*")));
    assert!(!covers(|it| it.namespaces = list("bank")));
    assert!(covers(|it| it.kinds = list("Pod apps/Deployment")));
    assert!(covers(|it| it.kinds = list("*/Deployment")));
    assert!(!covers(|it| it.kinds = list("Deployment")));
    assert!(covers(|it| it.names = list("w*b")));
    assert!(!covers(|it| it.names = list("api")));
    assert!(covers(|it| it.users = list("ad*")));
    assert!(covers(|it| (it.users, it.groups) = (list("bob"), list("dev"))));
    assert!(!covers(|it| it.groups = list("ops")));
}

#[test]
fn what_the_controllers_of_a_covered_workload_make_is_covered() {
    let exemption = exemption(|it| (it.kinds, it.names) = (list("apps/Deployment batch/CronJob"), list("web")));
    let made_by = |user: &str, workload: &str| {
        let facts = ReviewFacts {
            kind: "Pod".into(),
            name: "web-1".into(),
            workload: workload.into(),
            user: user.into(),
            ..facts()
        };
        exemption.covers(&policy(), Asked { facts: &facts, groups: &[] }, 50)
    };
    assert!(made_by("system:serviceaccount:kube-system:replicaset-controller", "Deployment/web"));
    assert!(made_by("system:serviceaccount:kube-system:job-controller", "Job/web-29384756"));
    assert!(!made_by("system:serviceaccount:kube-system:replicaset-controller", "Deployment/api"));
    assert!(!made_by("ada", "Deployment/web"), "anybody can name an owner");
}

#[test]
fn list_of_namespaces_never_covers_what_has_none() {
    let facts = ReviewFacts { namespace: String::new(), ..facts() };
    let exemption = exemption(|it| it.namespaces = list("*"));
    assert!(!exemption.covers(&policy(), Asked { facts: &facts, groups: &[] }, 50));
}

proptest! {
    #[test]
    fn expired_exemption_covers_nothing(now in any::<i64>(), expires_at in any::<i64>()) {
        let exemption = exemption(|it| it.expires_at = expires_at);
        let covers = exemption.covers(&policy(), Asked { facts: &facts(), groups: &[] }, now);
        prop_assert_eq!(covers, now < expires_at);
    }
}
