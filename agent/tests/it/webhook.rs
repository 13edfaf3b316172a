//! What the API server gets, for good reviews and bad ones.

use crate::bundles::{label_policy, pod_review, policy};
use crate::fake_hub::FakeHub;
use crate::test_agent::TestAgent;

async fn enforcing(files: &[writ_policy::SourceFile]) -> (FakeHub, TestAgent) {
    let hub = FakeHub::start().await;
    let good = hub.sign(1, files);
    hub.assign(good.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&good).await;
    (hub, agent)
}

#[tokio::test]
async fn denial_carries_the_message_and_the_uid() {
    let (_hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    let answer = agent.review(&pod_review("bad")).await;
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["response"]["uid"], "0b4f2ad2");
    assert_eq!(answer["response"]["status"]["message"], "[FAIL] HIGH - has label bad (WT1)");
}

#[tokio::test]
async fn v1beta1_is_answered_as_v1beta1() {
    let (_hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    let mut review = pod_review("bad");
    review["apiVersion"] = "admission.k8s.io/v1beta1".into();
    let answer = agent.review(&review).await;
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1beta1");
    assert_eq!(answer["response"]["allowed"], false);
}

#[tokio::test]
async fn bytes_that_are_no_review_get_400_with_the_reason() {
    let (_hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    for body in ["", "{", "[]", "{\"kind\":\"Pod\"}"] {
        let response = agent.post(body).await;
        assert_eq!(response.status(), 400, "{body:?}");
        let reason = response.text().await.unwrap();
        assert!(reason.contains("not an AdmissionReview"), "{body:?}: {reason}");
    }
    agent.until_metric("writ_agent_reviews_total{outcome=\"Malformed\"} 4").await;
    assert_eq!(agent.post(vec![b' '; 8 << 20]).await.status(), 413);
}

/// The API server takes such objects; nobody could judge them.
#[tokio::test]
async fn object_nested_200_deep_is_answered_by_the_failure_policy_in_words() {
    let (_hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let mut review = pod_review("bad");
    review["request"]["object"]["spec"] = "DEEP".into();
    let answer = agent.post(review.to_string().replace("\"DEEP\"", &deep)).await;
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(answer["response"]["allowed"], false);
    assert_eq!(answer["response"]["status"]["code"], 400);
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("nested 203 levels deep, and at most 127 are read; refused"), "{message}");
    agent.until_metric("writ_agent_reviews_total{outcome=\"Unjudged\"} 1").await;
}

#[tokio::test]
async fn kind_that_nobody_targets_is_allowed_and_counted() {
    let (hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    let mut review = pod_review("bad");
    review["request"]["kind"]["kind"] = "ConfigMap".into();
    review["request"]["object"]["kind"] = "ConfigMap".into();
    assert!(agent.allows(&review).await);
    agent.until_metric("writ_agent_reports_sent_total 1").await;
    let reports = hub.reports();
    assert_eq!(reports[0].review_counts[0].reviews, 1);
    assert!(reports[0].policy_counts.is_empty() && reports[0].failures.is_empty());
}

#[tokio::test]
async fn policy_that_errs_is_recorded_and_the_others_still_judge() {
    let erring =
        policy("WT2", "package writ.wt2\n\ndeny contains msg if msg := {1: 2}[input.review.object.nosuch] / 0\n");
    let (hub, agent) = enforcing(&[label_policy("WT1", "bad"), erring, slow_policy()]).await;
    let answer = agent.review(&pod_review("bad")).await;
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("[FAIL] HIGH - has label bad (WT1)"), "{message}");
    assert!(message.contains("[ERROR] HIGH - wt3"), "its own error denies, as on_error says: {message}");
    agent.until_metric("writ_agent_policy_evaluations_total{policy=\"wt3\",outcome=\"error\"} 1").await;
    agent.until_metric("writ_agent_reports_sent_total 1").await;
    let failures = &hub.reports()[0].failures;
    let error = failures.iter().find(|failure| failure.code.as_str() == "WT3").unwrap();
    assert_eq!(error.outcome, writ_policy::wire::FailureOutcome::Error);
}

#[tokio::test]
async fn review_before_the_first_bundle_is_answered_by_the_failure_policy() {
    let hub = FakeHub::start().await;
    let agent = TestAgent::start(&hub).await;
    let answer = agent.review(&pod_review("bad")).await;
    assert_eq!(answer["response"]["allowed"], false);
    assert!(answer["response"]["status"]["message"].as_str().unwrap().contains("failure policy is Fail"));
    agent.until_metric("writ_agent_reviews_total{outcome=\"Unjudged\"} 1").await;
    let data = agent.stop().await;
    let agent = TestAgent::start_in(data, &hub, &["--failure-policy", "Ignore"]).await;
    let answer = agent.review(&pod_review("bad")).await;
    assert_eq!(answer["response"]["allowed"], true);
    assert!(answer["response"]["warnings"][0].as_str().unwrap().contains("failure policy is Ignore"));
}

/// Takes about a quarter of a second for each review.
fn slow_policy() -> writ_policy::SourceFile {
    let body = "some a in numbers.range(1, 9999); some b in numbers.range(1, 9999); some c in numbers.range(1, 9999); a + b + c == 0";
    policy("WT3", &format!("package writ.wt3\n\ndeny contains \"x\" if {{ {body} }}\n"))
}

#[tokio::test]
async fn policy_slower_than_the_api_server_waits_errs_alone_and_the_review_is_answered_in_time() {
    let (_hub, agent) =
        enforcing(&[slow_policy(), policy("WT4", "package writ.wt4\n\ndeny contains \"seen\" if true\n")]).await;
    let url = format!("{}/validate?timeout=100ms", agent.webhook);
    let response = agent.client.post(url).body(pod_review("bad").to_string()).send().await.unwrap();
    let answer: serde_json::Value = response.json().await.unwrap();
    assert_eq!(answer["response"]["allowed"], false);
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("longer than its budget") && message.contains("seen (WT4)"), "{message}");
    agent.until_metric("writ_agent_policy_evaluations_total{policy=\"wt3\",outcome=\"error\"} 1").await;
}

#[tokio::test]
async fn object_of_three_megabytes_is_judged_on_create_and_on_update() {
    let (_hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    let mut review = pod_review("bad");
    review["request"]["object"]["metadata"]["annotations"] = serde_json::json!({"large": "x".repeat(3 << 20)});
    let answer = agent.review(&review).await;
    assert_eq!(answer["response"]["status"]["message"], "[FAIL] HIGH - has label bad (WT1)");
    review["request"]["oldObject"] = review["request"]["object"].clone();
    review["request"]["operation"] = "UPDATE".into();
    assert_eq!(agent.review(&review).await["response"]["allowed"], false);
}

#[tokio::test]
async fn subresources_and_connections_are_judged_as_the_kind_that_comes_with_them() {
    let (_hub, agent) = enforcing(&[label_policy("WT1", "bad")]).await;
    for (kind, operation, subresource, allowed) in [
        ("Pod", "UPDATE", "ephemeralcontainers", false),
        // What is, not what somebody wants.
        ("Pod", "UPDATE", "status", true),
        ("PodExecOptions", "CONNECT", "exec", true),
        ("Eviction", "CREATE", "eviction", true),
    ] {
        let mut review = pod_review("bad");
        review["request"]["kind"]["kind"] = kind.into();
        review["request"]["operation"] = operation.into();
        review["request"]["subResource"] = subresource.into();
        assert_eq!(agent.allows(&review).await, allowed, "{kind} {operation} {subresource}");
    }
}

#[tokio::test]
async fn agents_own_namespace_is_never_refused_with_policies_or_without() {
    let everything = policy("WT1", "package writ.wt1\n\ndeny contains \"no\" if input.review\n");
    let hub = FakeHub::start().await;
    let agent = TestAgent::start(&hub).await;
    let mut own = pod_review("any");
    own["request"]["namespace"] = "writ-system".into();
    assert!(agent.allows(&own).await && !agent.allows(&pod_review("any")).await, "before the first bundle");
    let good = hub.sign(1, &[everything]);
    hub.assign(good.clone());
    hub.until_active(&good).await;
    assert!(agent.allows(&own).await && !agent.allows(&pod_review("any")).await, "a policy refuses everything");
    agent.until_metric("writ_agent_refusals_suspended_total{because=\"lifeline\"} 1").await;
}
