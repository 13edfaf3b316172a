//! Trends, movers, the matrix and lists of violations as the API tells them.

use crate::pages::{enforcing, evaluations, reviews, send};
use crate::support::{NOW, TestAgent, TestHub, violation};
use serde_json::Value;
use writ_policy::wire::{PolicyCount, Report, Violation};
use writ_policy::{Action, PolicyName, Severity};

const HOUR_MS: i64 = 60 * 60_000;

fn of_policy(name: &str, count: PolicyCount) -> PolicyCount {
    PolicyCount { policy: PolicyName::new(name).unwrap(), ..count }
}

/// At half past, shop got worse and bank better; two reviews of lab prove nothing. It is two hours later now.
async fn moved() -> TestHub {
    let mut hub = TestHub::new().await;
    hub.clock.set(NOW + HOUR_MS / 2);
    hub.repository.write("test1.rego", crate::support::policy("TEST1", "really no"));
    hub.commit("Ask for more").await;
    hub.clock.set(NOW + 2 * HOUR_MS);
    let agent = enforcing(&hub, "prod").await;
    let counts = vec![
        reviews(0, "shop", [200, 20, 0]),
        reviews(-60, "shop", [200, 100, 10]),
        reviews(0, "bank", [200, 100, 0]),
        reviews(-60, "bank", [200, 10, 0]),
        reviews(0, "lab", [2, 0, 0]),
        reviews(-60, "lab", [2, 2, 2]),
    ];
    let policies = vec![
        evaluations(0, "shop", [180, 20, 0]),
        evaluations(-60, "shop", [100, 100, 10]),
        of_policy("new", evaluations(-60, "shop", [50, 50, 0])),
    ];
    send(&hub, &agent, policies, counts).await;
    hub
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn movers_name_what_moved_and_since_which_commit() {
    let hub = moved().await;
    let answer = hub.get("/api/v1/movers?by=namespace").await.json();
    assert_eq!((names(&answer["worse"]), names(&answer["better"])), (vec!["shop"], vec!["bank"]), "{answer}");
    assert_eq!(answer["worse"][0]["before"], serde_json::json!({"judged": 200, "failing": 20}));
    assert_eq!(answer["worse"][0]["since"]["title"], "Ask for more");
    assert_eq!(answer["revision"]["title"], "Ask for more", "the served revision is where it begins");
    let answer = hub.get("/api/v1/movers").await.json();
    assert_eq!(names(&answer["worse"]), ["test1", "new"]);
    assert_eq!(answer["worse"][1]["movement"], "new");
    let answer = hub.get("/api/v1/movers?by=namespace&policy=test1").await.json();
    assert_eq!(names(&answer["worse"]), ["shop"]);
    assert_eq!(hub.get("/api/v1/movers?since=yesterday").await.status, 404);
    assert_eq!(hub.get("/api/v1/movers?since=2025-06-15").await.status, 200);
}

#[tokio::test]
async fn trends_are_told_at_every_resolution_with_the_revisions() {
    let hub = moved().await;
    for (query, resolution, buckets, counts) in [
        ("", "hour", 2, "reviews"),
        ("?resolution=minute", "minute", 2, "reviews"),
        ("?resolution=day", "day", 1, "reviews"),
        ("?namespace=shop", "hour", 2, "reviews"),
        ("?cluster=prod", "hour", 2, "reviews"),
        ("?policy=test1", "hour", 2, "evaluations"),
        ("?policy=test1&namespace=shop", "hour", 2, "evaluations"),
        ("?policy=test1&cluster=prod", "hour", 2, "evaluations"),
        ("?policy=test1&cluster=elsewhere", "hour", 0, "evaluations"),
        ("?namespace=%27%20OR%201=1--", "hour", 0, "reviews"),
    ] {
        let answer = hub.get(&format!("/api/v1/trends{query}")).await.json();
        assert_eq!(answer["resolution"], resolution, "{query}");
        assert_eq!(answer["counts"], counts, "{query}");
        assert_eq!(answer["buckets"].as_array().unwrap().len(), buckets, "{query}: {answer}");
        assert_eq!(answer["revisions"].as_array().unwrap().len(), 2, "{query}");
    }
    let shop = hub.get("/api/v1/trends?namespace=shop").await.json();
    let failing: Vec<i64> =
        shop["buckets"].as_array().unwrap().iter().map(|b| b["failing"].as_i64().unwrap()).collect();
    assert_eq!(failing, [20, 100]);
    for odd in ["?from=5&until=5", "?namespace=a&cluster=b", "?resolution=year", "?resolution=minute&from=0"] {
        assert_eq!(hub.get(&format!("/api/v1/trends{odd}")).await.status, 400, "{odd}");
    }
}

#[tokio::test]
async fn sums_of_days_and_hours_are_those_of_the_minutes() {
    let hub = moved().await;
    let sum = async |query: String| {
        let answer = hub.get(&format!("/api/v1/trends?{query}")).await.json();
        answer["buckets"].as_array().unwrap().iter().map(|bucket| bucket["judged"].as_i64().unwrap()).sum::<i64>()
    };
    let span = format!("from={}&until={}", NOW - 12 * HOUR_MS, NOW + 2 * HOUR_MS);
    for resolution in ["minute", "hour", "day"] {
        assert_eq!(sum(format!("resolution={resolution}&{span}")).await, 804, "{resolution}");
    }
}

#[tokio::test]
async fn matrix_has_the_worst_namespaces_and_policies() {
    let hub = moved().await;
    let answer = hub.get("/api/v1/matrix").await.json();
    assert_eq!(names(&answer["namespaces"]), ["shop", "bank", "lab"]);
    assert_eq!(names(&answer["policies"]), ["test1", "new"]);
    assert_eq!(
        answer["cells"],
        serde_json::json!([
            {"namespace": "shop", "policy": "test1", "failing": 120},
            {"namespace": "shop", "policy": "new", "failing": 50},
        ])
    );
    assert_eq!(hub.get("/api/v1/matrix?period=hour").await.json()["cells"], serde_json::json!([]));
}

async fn with_violations(count: usize) -> (TestHub, TestAgent) {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    let violations = (0..count).map(|index| Violation {
        severity: Some(if index % 3 == 0 { Severity::High } else { Severity::Low }),
        action: if index % 3 == 0 { Action::Deny } else { Action::Warn },
        exemption: (index % 5 == 0).then(|| "legacy".to_owned()),
        ..violation(&format!("web-{index:03}"), NOW - index as i64 * 1_000)
    });
    let report = Report { violations: violations.collect(), ..agent.report(1, vec![]) };
    assert_eq!(agent.send(&hub, &report).await.status, 200);
    (hub, agent)
}

#[tokio::test]
async fn violations_are_walked_without_loss_or_repetition() {
    let (hub, _agent) = with_violations(130).await;
    let (mut seen, mut query) = (Vec::new(), "/api/v1/violations?namespace=shop&limit=50".to_owned());
    loop {
        let answer = hub.get(&query).await.json();
        let items = answer["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["workload"].as_str().unwrap().to_owned()));
        let Some(next) = answer["next"].as_str() else { break };
        query = format!("/api/v1/violations?namespace=shop&limit=50&before={next}");
    }
    let expected: Vec<String> = (0..130).map(|index| format!("Deployment/web-{index:03}")).collect();
    assert_eq!(seen, expected, "the newest first");
}

#[tokio::test]
async fn every_facet_narrows_and_is_counted() {
    let (hub, _agent) = with_violations(30).await;
    let counts = hub.get("/api/v1/violations").await.json()["counts"].clone();
    assert_eq!((counts["counted"].as_i64(), counts["exempted"].as_i64()), (Some(30), Some(6)));
    assert_eq!(
        counts["severities"],
        serde_json::json!([{"value": "LOW", "count": 20}, {"value": "HIGH", "count": 10}])
    );
    for (query, expected) in [
        ("severity=HIGH", 10),
        ("action=warn", 20),
        ("exempted=true", 6),
        ("exempted=false&severity=HIGH&cluster=prod", 8),
        ("code=TEST1&kind=Pod&policy=test1&namespace=shop", 30),
        ("kind=apps/Deployment", 0),
        ("workload=Deployment/web-007", 1),
        ("revision=0000000000000000000000000000000000000000", 30),
        ("revision=1", 0),
        ("state=fixed", 0),
        ("cluster=staging", 0),
        ("namespace=x%27%20OR%201=1--", 0),
    ] {
        let answer = hub.get(&format!("/api/v1/violations?{query}")).await.json();
        assert_eq!(answer["items"].as_array().map(Vec::len), Some(expected), "{query}: {answer}");
    }
    for odd in ["state=half", "before=nonsense", "exempted=perhaps"] {
        assert_eq!(hub.get(&format!("/api/v1/violations?{odd}")).await.status, 400, "{odd}");
    }
}
