//! `/`.

use super::{Page, enforcing, evaluations, reviews, send};
use crate::support::{NOW, TestHub};

#[tokio::test]
async fn clusters_are_shown_in_the_state_they_proved() {
    let hub = TestHub::new().await;
    enforcing(&hub, "prod").await;
    let slow = hub.enroll("slow").await;
    slow.desired(&hub).await;
    let picky = hub.enroll("picky").await;
    let (desired, _) = picky.desired(&hub).await;
    picky.ask(&hub, None, picky.refusing(&desired, "the bundle is <b>odd</b>")).await;
    hub.enroll("silent").await;

    let page = Page::of(&hub, "/").await;
    assert_eq!((page.text("#enforcing"), page.text("#clusters")), ("1".into(), "4".into()));
    let state = |cluster: &str| page.text(&format!("#cluster-{cluster} .badge"));
    assert_eq!(
        ["prod", "slow", "picky", "silent"].map(state),
        ["Enforcing", "Pending", "Refused", "Never seen"].map(String::from)
    );
    assert_eq!(page.text("#cluster-picky .reason"), "the bundle is <b>odd</b>");
    let names = page.texts("#cluster-list tbody th a");
    assert_eq!(names, ["picky", "slow", "silent", "prod"], "who needs a person comes first");
}

#[tokio::test]
async fn stale_is_never_shown_as_compliant() {
    let hub = TestHub::new().await;
    enforcing(&hub, "prod").await;
    hub.clock.set(NOW + 90_001);
    let page = Page::of(&hub, "/").await;
    assert_eq!(page.text("#enforcing"), "0");
    assert_eq!(page.text("#cluster-prod .badge"), "Offline");
    assert!(page.text("#cluster-prod").contains("last known"));
}

#[tokio::test]
async fn numbers_are_of_this_hour_and_the_hour_before() {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    let counts = vec![
        reviews(0, "shop", [6, 2, 1]),
        reviews(59, "bank", [4, 1, 0]),
        reviews(60, "shop", [20, 10, 2]),
        reviews(119, "shop", [5, 0, 0]),
        reviews(120, "shop", [900, 900, 900]),
    ];
    send(&hub, &agent, vec![evaluations(3, "shop", [7, 2, 1]), evaluations(61, "shop", [0, 6, 0])], counts).await;

    let page = Page::of(&hub, "/").await;
    assert_eq!(page.text("#reviews .tile-value"), "10");
    assert_eq!(page.text("#reviews .change"), "▼ 15 fewer (−60 %)");
    assert_eq!(page.text("#failing .tile-value"), "3 30.0 %");
    assert_eq!(page.text("#failing .change.better"), "▼ 7 fewer (−70 %)");
    assert_eq!(page.text("#denied .tile-value"), "1 10.0 %");
    assert_eq!(page.text("#cluster-prod .spark-now"), "3");
    assert!(page.text("#cluster-prod .spark").contains("was 10"));
    assert!(
        page.attribute("#trend svg", "aria-label").starts_with(
            "Trend of failing reviews: 3 in this hour, 10 in the hour before, most at 15 Jun 14:05 UTC (10)"
        )
    );
    assert_eq!(page.text("#worst-policies .amount"), "2 22.2 % of 9");
    assert_eq!(page.text("#worst-policies .since"), "about the same, was 100 %", "so few prove nothing");
    assert_eq!(page.texts("#worst-namespaces .what a"), ["shop", "bank"]);
}

#[tokio::test]
async fn newest_commit_that_was_refused_is_told_with_its_place() {
    let mut hub = TestHub::new().await;
    hub.repository.write("test1.rego", "package writ.test1\n\ndeny contains \"x\" if {\n\tnope(1\n}\n");
    hub.commit("Break it").await;
    let page = Page::of(&hub, "/").await;
    let refused = page.text("#refused");
    assert!(refused.contains("Break it") && refused.contains("test1.rego:"), "{refused}");
    assert!(refused.contains("The fleet keeps") && refused.contains("First"), "{refused}");
}

#[tokio::test]
async fn empty_fleet_tells_how_to_enroll_a_cluster() {
    let hub = TestHub::empty(&[]).await;
    let page = Page::of(&hub, "/").await;
    assert!(page.text("#cluster-list .empty").contains("http://localhost/api/v1/enrollment-tokens"));
    assert_eq!((page.text("#enforcing"), page.text("#clusters")), ("0".into(), "0".into()));
}
