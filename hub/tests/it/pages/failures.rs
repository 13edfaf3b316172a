//! `/failures`.

use super::{Page, enforcing};
use crate::support::{NOW, TestHub, failure};
use std::collections::BTreeSet;
use writ_policy::Action;
use writ_policy::wire::Failure;

async fn hub(failures: Vec<Failure>) -> TestHub {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    assert_eq!(agent.send(&hub, &agent.report(1, failures)).await.status, 200);
    hub
}

fn objects(page: &Page) -> Vec<String> {
    page.texts("#list tbody td:nth-child(3) span > bdi")
}

#[tokio::test]
async fn filters_of_the_address_choose_the_rows() {
    let denied = Failure { action: Action::Deny, at: NOW - 7_200_000, ..failure("a") };
    let elsewhere = Failure { namespace: None, at: NOW - 1_000, ..failure("b") };
    let hub = hub(vec![denied, elsewhere, failure("c")]).await;
    for (query, expected) in [
        ("", vec!["Pod/c", "Pod/b", "Pod/a"]),
        ("?action=deny", vec!["Pod/a"]),
        ("?namespace=shop&cluster=prod&policy=test1&code=test1", vec!["Pod/c", "Pod/a"]),
        ("?namespace=_cluster", vec!["Pod/b"]),
        ("?since=hour", vec!["Pod/c", "Pod/b"]),
        ("?cluster=staging", vec![]),
        ("?policy=x'%20OR%201=1--", vec![]),
        ("?before=nonsense&since=never&unknown=1", vec!["Pod/c", "Pod/b", "Pod/a"]),
    ] {
        let page = Page::of(&hub, &format!("/failures{query}")).await;
        assert_eq!(objects(&page), expected, "{query}");
    }
    let page = Page::of(&hub, "/failures?cluster=gone&action=deny").await;
    assert!(page.text("#list .empty").contains("No failure matches"));
    assert_eq!(page.text("#filters select[name=cluster] option[selected]"), "gone", "the filter stays visible");
}

#[tokio::test]
async fn pages_follow_each_other_without_loss_or_repetition() {
    let many = (0..120).map(|index| failure(&format!("pod-{index}"))).collect();
    let hub = hub(many).await;
    let (mut path, mut seen, mut sizes) = ("/failures?policy=test1".to_owned(), BTreeSet::new(), vec![]);
    loop {
        let page = Page::of(&hub, &path).await;
        let rows = objects(&page);
        sizes.push(rows.len());
        seen.extend(rows);
        if page.all("a[rel=next]").is_empty() {
            break;
        }
        path = page.attribute("a[rel=next]", "href");
        assert!(path.starts_with("/failures?policy=test1&before="), "{path}");
    }
    assert_eq!((sizes, seen.len()), (vec![50, 50, 20], 120));
}

#[tokio::test]
async fn row_tells_who_what_where_and_by_which_revision() {
    let user = "system:serviceaccount:ci:deployer".to_owned();
    let hub = hub(vec![Failure { user, workload: "Deployment/web".into(), ..failure("web-1") }]).await;
    let row = Page::of(&hub, "/failures").await.text("#list tbody tr");
    assert_eq!(
        row,
        "15:06:40 just now warn why TEST1 [FAIL] LOW - no (TEST1) Pod/web-1 shop · made by Deployment/web · CREATE \
         prod ci:deployer service account 00000000"
    );
}

#[tokio::test]
async fn no_failures_is_good_news() {
    let page = Page::of(&TestHub::new().await, "/failures").await;
    assert!(page.text("#list .empty").contains("Good news"));
}

#[tokio::test]
async fn exempted_failure_names_its_exemption_and_is_found_by_it() {
    let exempted = Failure { exemption: Some("legacy-node-agent".into()), action: Action::Dryrun, ..failure("a") };
    let implied = Failure { implied: true, severity: None, ..failure("b") };
    let hub = hub(vec![exempted, implied]).await;
    let page = Page::of(&hub, "/failures?exemption=legacy-node-agent").await;
    assert_eq!(objects(&page), ["Pod/a"]);
    assert_eq!(page.attribute("#list .badge.is-exempted", "title"), "exemption legacy-node-agent");
    assert_eq!(page.attribute("#list .badge.is-dryrun", "title"), "by denyLevel LOW");
    let page = Page::of(&hub, "/failures?since=day").await;
    assert!(page.text("#list tbody tr:nth-child(2)").contains("exempted"), "the newest of one moment is the last made");
    assert!(page.text("#list tbody tr:nth-child(1)").contains("for its pods"));
}
