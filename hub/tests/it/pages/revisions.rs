//! `/revisions` and `/revisions/{commit}`.

use super::{Page, enforcing, reviews, send};
use crate::support::{NOW, TestHub, policy};

#[tokio::test]
async fn revisions_tell_their_check_and_who_enforces_them() {
    let mut hub = TestHub::new().await;
    enforcing(&hub, "prod").await;
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let second = hub.commit("Second\n\nWith a reason.").await;
    hub.repository.write("test2.rego", "package writ.test2\n\ndeny contains {");
    let third = hub.commit("Third").await;

    let page = Page::of(&hub, "/revisions").await;
    assert_eq!(page.texts("#revisions tbody th a"), ["Third", "Second", "First"]);
    assert_eq!(page.texts("#revisions tbody .badge"), ["Refused", "Good", "Good"]);
    assert!(page.text(&format!("[id='revision-{second}']")).contains("served now"));
    let enforced = page.texts("#revisions tbody td:last-child");
    assert_eq!(enforced, ["–", "–", "prod since just now"]);

    let refused = Page::of(&hub, &format!("/revisions/{third}")).await;
    assert!(refused.text("#refused").contains("The fleet keeps"));
    assert!(refused.text("#diagnostics .place").starts_with("test2.rego:3"), "{}", refused.text("#diagnostics"));
    assert!(refused.all("#ledger").is_empty());
    let good = Page::of(&hub, &format!("/revisions/{second}")).await;
    assert_eq!(good.text(".message-text"), "With a reason.");
    assert_eq!(good.text("#ledger .badge"), "Pending");
}

#[tokio::test]
async fn refused_commit_shows_the_lines_in_question_as_text() {
    let mut hub = TestHub::new().await;
    let text = "package writ.test2\n# <script>alert(1)</script>\n\tx := lower_case(1) # <b>\ndeny contains \"x\"";
    hub.repository.write("test2.rego", text);
    let refused = hub.commit("Second").await;

    let page = Page::of(&hub, &format!("/revisions/{refused}")).await;
    let excerpts = page.texts("#diagnostics pre.excerpt");
    let asked = excerpts.iter().find(|excerpt| excerpt.contains("lower_case")).unwrap();
    assert!(asked.contains("2 │ # <script>alert(1)</script> 3 │ x := lower_case(1) # <b>"), "{asked}");
    assert!(page.texts("#diagnostics pre .at").contains(&"lower_case".to_owned()), "{excerpts:?}");
    assert!(page.text("#diagnostics").contains("Help:"));
    assert!(page.all("main script, main b:not(.help b)").is_empty(), "the repository's text is text");
}

#[tokio::test]
async fn ledger_proves_when_each_cluster_enforced_it() {
    let mut hub = TestHub::empty(&[]).await;
    hub.repository.write("test1.rego", policy("TEST1", "no"));
    let first = hub.commit("First").await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let digest = desired.assignment.digest();
    agent.ask(&hub, Some(digest), agent.enforcing(&desired, NOW + 85)).await;
    send(&hub, &agent, vec![], vec![reviews(0, "shop", [100, 10, 0]), reviews(30, "shop", [100, 50, 50])]).await;

    let page = Page::of(&hub, &format!("/revisions/{first}")).await;
    assert_eq!(page.text("#ledger tbody tr"), "prod 1 OFF 15:06:40 +85 ms +85 ms 15:06:40 +85 ms 85 ms");
    assert_eq!(page.text("#effect #failing .tile-value"), "10.0 % of reviews");
    assert_eq!(page.text("#effect #failing .better"), "was 50.0 %");
}

#[tokio::test]
async fn start_of_a_commit_leads_to_the_whole() {
    let hub = TestHub::new().await;
    let served = hub.served().await.as_str().unwrap().to_owned();
    for path in [format!("/revisions/{}", &served[..7]), format!("/find?q={}", served[..7].to_uppercase())] {
        let answer = hub.get(&path).await;
        assert_eq!(answer.headers["location"].to_str().unwrap(), format!("/revisions/{served}"));
    }
    assert_eq!(hub.get("/revisions/HEAD").await.status, 404);
    assert_eq!(hub.get("/revisions/%2e%2e%2f").await.status, 404);
}
