//! Reports: exactly once, whole or not at all, bounded.

use crate::support::{NOW, TestAgent, TestHub, failure, policy_count, review_count};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use writ_policy::wire::{MAX_MESSAGE_BYTES, MAX_REPORT_BYTES, PolicyCount, Report};

async fn counts(hub: &TestHub) -> Value {
    hub.get("/api/v1/counts").await.json()
}

#[tokio::test]
async fn report_sent_twice_is_stored_once() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let rows = agent.report(1, vec![failure("a"), failure("b")]);
    let report = Report { policy_counts: vec![policy_count(2)], review_counts: vec![review_count(3)], ..rows };
    for _ in 0..2 {
        let answer = agent.send(&hub, &report).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "stored": 1 })));
    }
    let counts = counts(&hub).await;
    assert_eq!(
        (&counts["failures"], &counts["policy_failures"], &counts["reviews"]),
        (&json!(2), &json!(2), &json!(3))
    );
}

#[tokio::test]
async fn report_that_comes_many_times_at_once_is_stored_once() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let report = Report { policy_counts: vec![policy_count(2)], ..agent.report(1, vec![failure("a")]) };
    let send = || agent.send(&hub, &report);
    let answers = tokio::join!(send(), send(), send(), send(), send());
    for answer in [answers.0, answers.1, answers.2, answers.3, answers.4] {
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "stored": 1 })));
    }
    let counts = counts(&hub).await;
    assert_eq!((&counts["failures"], &counts["policy_failures"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn report_sent_again_after_the_agent_enrolled_anew_is_stored_once() {
    let hub = TestHub::new().await;
    let former = hub.enroll("prod").await;
    let report = Report { policy_counts: vec![policy_count(2)], ..former.report(1, vec![failure("a")]) };
    former.send(&hub, &report).await;
    let agent = hub.enroll("prod").await;
    assert_eq!(agent.send(&hub, &report).await.json(), json!({ "stored": 1 }));
    assert_eq!(agent.send(&hub, &Report { sequence: 2, ..report.clone() }).await.json(), json!({ "stored": 2 }));
    assert_eq!(counts(&hub).await["policy_failures"], 4);
}

#[tokio::test]
async fn older_sequence_is_answered_and_not_stored_again() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    for (sequence, stored) in [(1, 1), (2, 2), (1, 2), (5, 5), (3, 5)] {
        let receipt = agent.send(&hub, &agent.report(sequence, vec![failure("a")])).await.json();
        assert_eq!(receipt["stored"], stored, "after {sequence}");
    }
    assert_eq!(counts(&hub).await["failures"], 3);
}

#[tokio::test]
async fn failure_seen_twice_is_one_failure() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let same = failure("a");
    agent.send(&hub, &agent.report(1, vec![same.clone(), same.clone()])).await;
    agent.send(&hub, &agent.report(2, vec![same])).await;
    assert_eq!(counts(&hub).await["failures"], 1);
}

#[tokio::test]
async fn counts_of_one_minute_add_up() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let report = Report { policy_counts: vec![policy_count(1), policy_count(2)], ..agent.report(1, vec![]) };
    agent.send(&hub, &report).await;
    agent.send(&hub, &Report { sequence: 2, ..report }).await;
    assert_eq!(counts(&hub).await["policy_failures"], 6);
}

#[tokio::test]
async fn unknown_credential_stores_nothing() {
    let hub = TestHub::new().await;
    let mut agent = hub.enroll("prod").await;
    agent.enrolled.credential = "stolen-or-guessed".into();
    let answer = agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
    assert_eq!(answer.status, 401);
    assert!(answer.error().contains("credential"), "{}", answer.error());
    assert_eq!(hub.post("/v1/reports", &json!({})).await.status, 401);
    assert_eq!(counts(&hub).await["failures"], 0);
}

#[tokio::test]
async fn malformed_report_is_refused_whole_with_the_reason() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let good = serde_json::to_value(agent.report(1, vec![failure("a"), failure("b")])).unwrap();
    let spoilt = |spoil: &dyn Fn(&mut Value)| {
        let mut report = good.clone();
        spoil(&mut report);
        report
    };
    let many = vec![good["failures"][0].clone(); 2_001];
    let mut minute = serde_json::to_value(policy_count(1)).unwrap();
    minute["denials"] = json!(9);
    for (report, reason) in [
        (spoilt(&|report| report["failures"][1]["at"] = json!(-1)), "failures[1]"),
        (spoilt(&|report| report["failures"][1]["action"] = json!("explode")), "action"),
        (spoilt(&|report| report["failures"][1]["namespace"] = json!("../x")), "namespace"),
        (spoilt(&|report| report["failures"] = json!(many)), "2000"),
        (spoilt(&|report| report["policy_counts"] = json!([minute])), "denials"),
        (spoilt(&|report| report["sequence"] = json!(0)), "sequence"),
        (json!([1]), "UUID"),
    ] {
        let answer = agent.post(&hub, "/v1/reports", report.to_string().into()).await;
        assert!(answer.status.is_client_error(), "{reason}");
        assert!(answer.error().contains(reason), "{} lacks {reason}", answer.error());
    }
    assert_eq!(counts(&hub).await["failures"], 0);
}

#[tokio::test]
async fn report_beyond_the_limit_is_refused_unread() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let answer = agent.post(&hub, "/v1/reports", vec![b' '; MAX_REPORT_BYTES + 1]).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn texts_are_bounded_and_kept_as_text() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let mut long = failure("<script>alert(1)</script>\0");
    long.message = "é".repeat(500_000);
    long.workload = "w".repeat(100_000);
    long.at = NOW * 5;
    assert_eq!(agent.send(&hub, &agent.report(1, vec![long])).await.status, 200);
    let listed = hub.get("/api/v1/failures").await.json();
    let item = &listed["items"][0];
    assert_eq!(item["object"], "<script>alert(1)</script>\u{fffd}");
    assert!(item["message"].as_str().unwrap().len() <= MAX_MESSAGE_BYTES);
    assert!(item["workload"].as_str().unwrap().len() <= 512);
    assert_eq!(item["at"], NOW, "a clock that is years ahead is the hub's");
}

#[tokio::test]
async fn failures_are_listed_newest_first_in_pages() {
    let hub = TestHub::new().await;
    let (prod, dev) = (hub.enroll("prod").await, hub.enroll("dev").await);
    let mut failures: Vec<_> = (0..5).map(|n| failure(&format!("p{n}"))).collect();
    failures.iter_mut().enumerate().for_each(|(n, failure)| failure.at = NOW - n as i64 / 2);
    prod.send(&hub, &prod.report(1, failures)).await;
    dev.send(&hub, &dev.report(1, vec![failure("d")])).await;
    let mut seen = vec![];
    let mut next = String::new();
    loop {
        let page = hub.get(&format!("/api/v1/failures?cluster=prod&namespace=shop&limit=2{next}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["object"].to_string()));
        match page["next"].as_str() {
            Some(place) => next = format!("&before={place}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.last().unwrap(), "\"p4\"");
    assert_eq!(hub.get("/api/v1/failures?before=x").await.status, 400);
    assert_eq!(hub.get("/api/v1/failures?policy=test1&action=deny").await.json()["items"], json!([]));
}

#[tokio::test]
async fn exempted_evaluations_are_counted_apart_from_failures() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let counted = PolicyCount { exempted: 5, ..policy_count(2) };
    let report = Report { policy_counts: vec![counted], ..agent.report(1, vec![]) };
    agent.send(&hub, &report).await;
    let counts = counts(&hub).await;
    assert_eq!((&counts["policy_failures"], &counts["policy_exempted"]), (&json!(2), &json!(5)));
}

#[tokio::test]
async fn reports_that_come_at_once_are_each_answered_by_their_own() {
    let hub = TestHub::new().await;
    let mut agents = vec![];
    for cluster in 0..12 {
        agents.push(hub.enroll(&format!("c{cluster}")).await);
    }
    // Every third is malformed, and each is sent twice.
    let send = async |place: usize, agent: &TestAgent| {
        let failures = vec![failure("a"), failure("b")];
        let mut report = Report { review_counts: vec![review_count(2)], ..agent.report(1, failures) };
        let malformed = place.is_multiple_of(3);
        report.failures[1].at = if malformed { -1 } else { NOW };
        let (first, second) = tokio::join!(agent.send(&hub, &report), agent.send(&hub, &report));
        assert_eq!(first.status, if malformed { 400 } else { 200 }, "{}", first.text());
        assert_eq!(first.status, second.status);
    };
    let sent: FuturesUnordered<_> = agents.iter().enumerate().map(|(place, agent)| send(place, agent)).collect();
    sent.collect::<Vec<_>>().await;
    let counts = counts(&hub).await;
    assert_eq!((&counts["failures"], &counts["reviews"]), (&json!(16), &json!(16)));
}

#[tokio::test]
async fn agent_that_brings_too_much_is_told_when_to_come_back() {
    let hub = TestHub::with(&["--rows-per-minute", "3"]).await;
    let (busy, quiet) = (hub.enroll("busy").await, hub.enroll("quiet").await);
    assert_eq!(busy.send(&hub, &busy.report(1, vec![failure("a"), failure("b")])).await.status, 200);
    let second = busy.report(2, vec![failure("c"), failure("d")]);
    let answer = busy.send(&hub, &second).await;
    assert_eq!((answer.status.as_u16(), answer.headers["retry-after"].to_str().unwrap()), (429, "20"));
    assert!(answer.error().contains("3 rows within a minute"), "{}", answer.error());
    assert_eq!(quiet.send(&hub, &quiet.report(1, vec![failure("e")])).await.status, 200);
    hub.clock.set(NOW + 20_000);
    assert_eq!(busy.send(&hub, &second).await.json(), json!({ "stored": 2 }));
    assert_eq!(counts(&hub).await["failures"], 5);
}

#[tokio::test]
async fn sequence_that_jumps_is_taken_and_fields_that_nobody_knows_are_left_out() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let mut report = serde_json::to_value(agent.report(7, vec![failure("a")])).unwrap();
    report["next_year"] = json!({ "more": [1] });
    report["failures"][0]["mood"] = json!("good");
    let answer = agent.post(&hub, "/v1/reports", report.to_string().into()).await;
    assert_eq!(answer.json(), json!({ "stored": 7 }));
}

#[tokio::test]
async fn cursor_of_another_clusters_agent_is_its_own() {
    let hub = TestHub::new().await;
    let (prod, dev) = (hub.enroll("prod").await, hub.enroll("dev").await);
    prod.send(&hub, &prod.report(5, vec![failure("a")])).await;
    let claimed = Report { boot: prod.boot, ..dev.report(1, vec![failure("b")]) };
    assert_eq!(dev.send(&hub, &claimed).await.json(), json!({ "stored": 1 }), "it neither reads nor moves prod's");
    assert_eq!(prod.send(&hub, &prod.report(6, vec![failure("c")])).await.json(), json!({ "stored": 6 }));
    assert_eq!(counts(&hub).await["failures"], 3);
}

#[tokio::test]
async fn lone_surrogates_and_truncated_json_are_refused() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let good = serde_json::to_string(&agent.report(1, vec![failure("a'); DROP TABLE failures; --")])).unwrap();
    for bad in [good.replace("ada", "\\ud800"), good[..good.len() / 2].to_owned()] {
        let answer = agent.post(&hub, "/v1/reports", bad.into()).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(agent.post(&hub, "/v1/reports", good.into()).await.status, 200);
    assert_eq!(counts(&hub).await["failures"], 1);
}

#[tokio::test]
async fn clock_that_is_a_year_off_does_not_move_rows_a_year_away() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let year = 365 * 24 * 60 * 60 * 1000;
    let mut failures = vec![failure("ahead"), failure("behind")];
    (failures[0].at, failures[1].at) = (NOW + year, NOW - year);
    agent.send(&hub, &agent.report(1, failures)).await;
    let listed = hub.get("/api/v1/failures").await.json();
    for item in listed["items"].as_array().unwrap() {
        assert_eq!(item["at"], NOW, "{item}");
    }
}
