//! `/api/v1/explain`: whose word decides about a policy in a cluster and namespace.

use crate::support::{TestHub, policy};

const FLEET: &str = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\nclusters:\n  - match: {env: prod}\n    actions: {TEST1: warn}\nnamespaces:\n  exclude: [kube-*]\n";

#[tokio::test]
async fn every_word_is_told_with_its_line_and_the_one_that_won() {
    let mut hub = TestHub::new().await;
    hub.repository.write("fleet.yaml", FLEET);
    let revision = hub.commit("A fleet").await;
    hub.enroll("prod").await;

    let answer = hub.get("/api/v1/explain?policy=TEST1&cluster=prod&namespace=shop").await;
    let told = answer.json();
    assert_eq!((&told["revision"], &told["judges"]), (&revision.as_str().into(), &true.into()), "{told}");
    let winner = told["words"].as_array().unwrap().iter().find(|word| word["wins"] == true).unwrap();
    assert!(winner["place"].as_str().unwrap().starts_with("fleet.yaml:"), "{winner}");
    let elsewhere = hub.get("/api/v1/explain?policy=TEST1&cluster=prod&namespace=kube-system").await.json();
    assert_eq!(elsewhere["judges"], false);
}

#[tokio::test]
async fn what_is_not_known_is_told() {
    let mut hub = TestHub::new().await;
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    hub.commit("Second").await;
    hub.enroll("prod").await;
    for (query, status) in [
        ("policy=TEST9&cluster=prod", 404),
        ("policy=TEST2&cluster=nowhere", 404),
        ("policy=TEST2", 400),
        ("policy=TEST2&cluster=prod&x=1", 400),
        ("policy=TEST2&cluster=prod", 200),
    ] {
        assert_eq!(hub.get(&format!("/api/v1/explain?{query}")).await.status, status, "{query}");
    }
}
