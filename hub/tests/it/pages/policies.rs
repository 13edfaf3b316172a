//! `/policies`, `/policies/{name}`, `/namespaces`, `/namespaces/{name}`, `/find`.

use super::{Page, enforcing, evaluations, reviews, send};
use crate::support::{TestHub, failure, policy};
use writ_policy::wire::PolicyCount;

async fn hub() -> TestHub {
    let mut hub = TestHub::new().await;
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    hub.repository.write("docs/TEST1.md", "# Why\n\nBecause <script>alert(1)</script> [x](javascript:alert(1))\n");
    hub.commit("Second").await;
    let agent = enforcing(&hub, "prod").await;
    let policies = vec![
        evaluations(5, "shop", [15, 4, 1]),
        evaluations(6, "bank", [0, 1, 1]),
        evaluations(70, "shop", [10, 30, 0]),
        evaluations(600, "shop", [0, 100, 0]),
    ];
    let counts = vec![reviews(5, "shop", [19, 4, 1]), reviews(6, "bank", [1, 1, 1]), reviews(70, "shop", [40, 30, 0])];
    send(&hub, &agent, policies, counts).await;
    agent.send(&hub, &agent.report(2, vec![failure("web")])).await;
    hub
}

#[tokio::test]
async fn policies_have_rates_of_both_hours() {
    let page = Page::of(&hub().await, "/policies").await;
    assert_eq!(page.texts("#policies tbody .code"), ["TEST1", "TEST2"], "the one that fails most is first");
    let row = page.text("#policy-test1");
    for expected in ["Test TEST1", "LOW", "20", "5", "▼ 25 fewer (−83 %)", "25.0 % was 75.0 %"] {
        assert!(row.contains(expected), "{expected} in {row}");
    }
    assert!(page.text("#policy-test2").contains("– was –"), "nothing judged is no rate");
}

#[tokio::test]
async fn period_of_the_address_is_honoured() {
    let page = Page::of(&hub().await, "/policies?period=day").await;
    assert!(page.text("#policy-test1").contains("135"));
    assert_eq!(page.text(".switch [aria-current]"), "24 hours");
}

#[tokio::test]
async fn policy_tells_what_it_wants_and_where_it_fails() {
    let page = Page::of(&hub().await, "/policies/test1").await;
    assert_eq!(page.text("h1"), "TEST1 Test TEST1");
    assert_eq!(page.text("#failing .tile-value"), "5 25.0 %, was 75.0 %");
    assert_eq!(page.text("#denied .tile-value"), "2");
    assert_eq!(page.texts("#namespaces .what a"), ["shop", "bank"]);
    assert_eq!(page.attribute("#namespaces .amount a", "href"), "/failures?policy=test1&namespace=shop&since=hour");
    assert_eq!(page.texts("#clusters .what bdi"), ["prod"]);
    assert_eq!(page.text("#documentation .prose h3"), "Why");
    assert!(page.all("#documentation script, #documentation a").is_empty());
    assert!(page.text("#documentation").contains("<script>alert(1)</script>"));
    assert_eq!(page.all("#latest tbody tr").len(), 1);
    assert_eq!(page.texts("#trend .marks .sha").len(), 2, "a mark for each revision");
}

#[tokio::test]
async fn code_of_a_denial_leads_to_its_policy() {
    let hub = hub().await;
    for path in ["/policies/TEST1", "/find?q=TEST1", "/find?q=%20test1%20"] {
        let answer = hub.get(path).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["location"].to_str().unwrap()), (303, &"/policies/test1"));
    }
    assert_eq!(hub.get("/find?q=shop").await.headers["location"], "/namespaces/shop");
    assert_eq!(hub.get("/find?q=prod").await.headers["location"], "/clusters/prod");
    let nothing = Page::of(&hub, "/find?q=%3Cb%3Enope").await;
    assert_eq!(nothing.text("h1"), "Nothing is called “<b>nope”");
    assert_eq!(hub.get("/policies/nope").await.status, 404);
}

#[tokio::test]
async fn matrix_counts_policies_by_namespace() {
    let page = Page::of(&hub().await, "/namespaces").await;
    assert_eq!(page.texts("#matrix tbody th"), ["shop", "bank"]);
    assert_eq!(page.texts("#matrix thead .code"), ["TEST1"]);
    assert_eq!((page.text("#namespace-shop .cell"), page.text("#namespace-bank .cell")), ("4".into(), "1".into()));
    assert!(page.text("#namespace-shop").contains("21.1 %"));
    let cell = page.attribute("#namespace-shop .cell a", "href");
    assert_eq!(cell, "/failures?namespace=shop&policy=test1&since=hour");
}

#[tokio::test]
async fn namespace_tells_which_policies_fail_in_it() {
    let hub = hub().await;
    let page = Page::of(&hub, "/namespaces/shop").await;
    assert_eq!(page.text("#reviews .tile-value"), "19");
    assert_eq!(page.text("#failing .tile-value"), "4 21.1 %, was 75.0 %");
    assert_eq!(page.text("#policies .amount a"), "4");
    assert_eq!(page.all("#latest tbody tr").len(), 1);
    assert_eq!(hub.get("/namespaces/nope").await.status, 404);
}

#[tokio::test]
async fn exempted_evaluations_stand_beside_failing_ones() {
    let hub = hub().await;
    let agent = enforcing(&hub, "edge").await;
    let exempted = PolicyCount { exempted: 7, ..evaluations(5, "legacy", [1, 0, 0]) };
    send(&hub, &agent, vec![exempted], vec![reviews(5, "legacy", [8, 0, 0])]).await;

    let policies = Page::of(&hub, "/policies").await;
    assert_eq!(policies.text("#policy-test1 .exempted"), "and 7 exempted");
    assert!(policies.all("#policy-test2 .exempted").is_empty(), "none is not worth a word");
    let namespace = Page::of(&hub, "/namespaces/legacy").await;
    assert_eq!(namespace.text("#policies .exempted"), "and 7 exempted", "also where nothing fails");
}
