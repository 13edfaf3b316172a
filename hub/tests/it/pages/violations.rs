//! `/violations`, `/violations/{id}`, `/changes`, `/clusters`, `/clusters/{name}`.

use super::{Page, enforcing, evaluations, reviews, send};
use crate::support::{NOW, TestAgent, TestHub, failure, violation};
use writ_policy::wire::{Failure, Fixed, FixedReason, Report, Violation};

async fn hub(violations: Vec<Violation>) -> (TestHub, TestAgent) {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    let report = Report { violations, ..agent.report(1, vec![]) };
    assert_eq!(agent.send(&hub, &report).await.status, 200);
    (hub, agent)
}

fn objects(page: &Page) -> Vec<String> {
    page.texts("#list tbody td:nth-child(3) > span > a")
}

#[tokio::test]
async fn violation_keeps_its_address_through_its_life() {
    let (hub, agent) = hub(vec![violation("web", NOW - 60_000)]).await;
    let page = Page::of(&hub, "/violations").await;
    assert_eq!(objects(&page), ["Pod/Deployment/web-x7k2p"]);
    assert!(page.text("#facets").starts_with("1 open LOW 1 warn 1"), "{}", page.text("#facets"));
    let address = page.attribute("#list .code", "href");
    let page = Page::of(&hub, &address).await;
    assert_eq!(page.text("h1"), "TEST1 Deployment/web");
    assert!(page.text("#history").contains("Seen for the first time"));

    let Violation { key, revision, .. } = violation("web", 0);
    let fixed = Fixed { key, at: NOW, reason: FixedReason::Passes, revision };
    let mut report = Report { fixed: vec![fixed], ..agent.report(2, vec![]) };
    report.failures = vec![Failure { workload: "Deployment/web".into(), ..failure("web-1") }];
    assert_eq!(agent.send(&hub, &report).await.status, 200);
    let page = Page::of(&hub, &address).await;
    assert_eq!(page.text(".head .badge"), "fixed");
    assert!(page.text("#history li").contains("the object passes now"), "the newest is first");
    assert_eq!(page.all("#latest tbody tr").len(), 1, "the review of the same workload");
    assert!(Page::of(&hub, "/violations").await.text("#list .empty").contains("Good news"));
    assert_eq!(objects(&Page::of(&hub, "/violations?state=fixed").await).len(), 1);
}

#[tokio::test]
async fn filters_of_the_address_choose_the_rows() {
    let elsewhere = Violation {
        key: {
            let mut key = violation("b", 0).key;
            key.namespace = None;
            key
        },
        ..violation("b", NOW - 2)
    };
    let (hub, _agent) = hub(vec![violation("a", NOW - 1), elsewhere, violation("c", NOW - 3)]).await;
    for (query, expected) in [
        ("", 3),
        ("?namespace=_cluster", 1),
        ("?namespace=shop&cluster=prod&policy=test1&code=test1&severity=LOW&action=warn&exempted=no&kind=Pod", 2),
        ("?exempted=yes", 0),
        ("?since=hour", 3),
        ("?policy=x'%20OR%201=1--", 0),
        ("?before=nonsense&since=never&unknown=1", 3),
    ] {
        assert_eq!(objects(&Page::of(&hub, &format!("/violations{query}")).await).len(), expected, "{query}");
    }
    assert_eq!(hub.get("/violations/nonsense").await.status, 404);
    assert_eq!(hub.get("/violations/00000000-0000-0000-0000-000000000000").await.status, 404);
}

#[tokio::test]
async fn pages_follow_each_other_without_loss_or_repetition() {
    let many = (0..120).map(|index| violation(&format!("web-{index}"), NOW - index)).collect();
    let (hub, _agent) = hub(many).await;
    let (mut path, mut seen, mut sizes) =
        ("/violations?policy=test1".to_owned(), std::collections::BTreeSet::new(), vec![]);
    loop {
        let page = Page::of(&hub, &path).await;
        let rows = objects(&page);
        sizes.push(rows.len());
        seen.extend(rows);
        if page.all("a[rel=next]").is_empty() {
            break;
        }
        path = page.attribute("a[rel=next]", "href");
    }
    assert_eq!((sizes, seen.len()), (vec![50, 50, 20], 120));
}

#[tokio::test]
async fn changes_tell_what_moved_and_what_chance_explains_is_left_out() {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    hub.clock.set(NOW + 60 * 60_000);
    let counts = vec![
        reviews(10, "shop", [200, 20, 0]),
        reviews(-20, "shop", [200, 100, 0]),
        reviews(10, "lab", [2, 0, 0]),
        reviews(-20, "lab", [2, 2, 0]),
    ];
    let policies = vec![evaluations(10, "shop", [180, 20, 0]), evaluations(-20, "shop", [100, 100, 0])];
    send(&hub, &agent, policies, counts).await;
    let page = Page::of(&hub, "/changes").await;
    assert!(page.text(".head p").contains("First"), "since the served revision");
    assert_eq!(page.texts("#namespaces-worse .what"), ["shop"]);
    assert_eq!(page.texts("#policies-worse .what"), ["TEST1 Test TEST1"]);
    let since = page.text("#policies-worse .since");
    assert!(since.starts_with("▲ worse, was 10.0 % since") && since.ends_with("First"), "{since}");
    let page = Page::of(&hub, "/changes?policy=test1").await;
    assert_eq!(page.texts("#namespaces-worse .what"), ["shop"]);
    assert_eq!(page.texts("#clusters-worse .what"), ["prod"]);
    assert!(Page::of(&hub, "/changes?since=never").await.text("main").contains("No such revision or day"));
    assert!(Page::of(&TestHub::empty(&[]).await, "/changes").await.text("main").contains("No revision was served yet"));
}

#[tokio::test]
async fn cluster_has_a_page_of_its_own() {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    hub.enroll("quiet").await;
    let counts = vec![reviews(5, "shop", [100, 40, 10]), reviews(80, "shop", [100, 4, 1])];
    send(&hub, &agent, vec![evaluations(5, "shop", [60, 40, 10]), evaluations(80, "shop", [96, 4, 1])], counts).await;
    let page = Page::of(&hub, "/clusters/prod").await;
    assert_eq!(page.text("#failing .tile-value"), "40 40.0 %, was 4.0 %");
    assert_eq!(page.texts("#policies .what"), ["TEST1 Test TEST1"]);
    assert_eq!(page.texts("#namespaces .what"), ["shop"]);
    assert_eq!(Page::of(&hub, "/clusters/quiet").await.text("#state .badge"), "Never seen");
    assert_eq!(hub.get("/clusters/absent").await.status, 404);

    let page = Page::of(&hub, "/clusters?period=hour").await;
    assert_eq!(page.texts("#clusters tbody th a"), ["quiet", "prod"], "who needs a person comes first");
    let page = Page::of(&hub, "/clusters?by=failing&period=hour").await;
    assert_eq!(page.texts("#clusters tbody th a"), ["prod", "quiet"]);
    assert!(page.text("#cluster-prod").contains("40.0 % was 4.0 % ▲ worse"), "{}", page.text("#cluster-prod"));
}
