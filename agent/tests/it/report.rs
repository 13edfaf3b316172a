//! What reaches the hub: everything, once.

use crate::bundles::{label_policy, pod_review};
use crate::fake_hub::FakeHub;
use crate::test_agent::{TestAgent, until};
use std::collections::HashSet;
use std::path::Path;
use writ_policy::wire::Report;

async fn enforcing() -> (FakeHub, TestAgent) {
    let hub = FakeHub::start().await;
    let good = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(good.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&good).await;
    (hub, agent)
}

async fn deny(agent: &TestAgent, times: usize) {
    for _ in 0..times {
        assert!(!agent.allows(&pod_review("bad")).await);
    }
}

fn reviews(reports: &[Report]) -> u64 {
    reports.iter().flat_map(|report| &report.review_counts).map(|count| count.reviews).sum()
}

/// Failures, each of which has an id of its own.
fn failures(reports: &[Report]) -> usize {
    let ids: Vec<_> = reports.iter().flat_map(|report| &report.failures).map(|failure| failure.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "no failure twice");
    ids.len()
}

async fn until_failures(hub: &FakeHub, expected: usize) {
    until(&format!("{expected} failures are stored"), || (failures(&hub.reports()) >= expected).then_some(())).await;
    assert_eq!((failures(&hub.reports()), reviews(&hub.reports())), (expected, expected as u64));
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test]
async fn failure_carries_facts_and_never_the_object() {
    let (hub, agent) = enforcing().await;
    deny(&agent, 1).await;
    until_failures(&hub, 1).await;
    let report = &hub.reports()[0];
    let failure = &report.failures[0];
    assert_eq!((failure.kind.as_str(), failure.name.as_str(), failure.user.as_str()), ("Pod", "web", "ann"));
    assert_eq!(failure.message, "[FAIL] HIGH - has label bad (WT1)");
    assert_eq!(failure.workload, "Pod/web");
    let counts = &report.policy_counts[0];
    assert_eq!((counts.failures, counts.denials, counts.passes), (1, 1, 0));
}

#[tokio::test]
async fn reports_wait_on_disk_while_the_hub_is_away_and_arrive_once() {
    let (hub, agent) = enforcing().await;
    hub.go_away();
    deny(&agent, 3).await;
    let spool = agent.data.path().join("spool");
    until("a report waits", || (files(&spool) > 0).then_some(())).await;
    let data = agent.stop().await;
    let agent = TestAgent::start_in(data, &hub, &[]).await;
    deny(&agent, 2).await;
    hub.come_back();
    until_failures(&hub, 5).await;
    let boots: HashSet<_> = hub.reports().iter().map(|report| report.boot).collect();
    assert_eq!(boots.len(), 2, "reports keep the boot that made them");
}

#[tokio::test]
async fn report_whose_answer_was_lost_is_stored_once() {
    let (hub, agent) = enforcing().await;
    hub.lose_answers(true);
    deny(&agent, 2).await;
    until("the hub stored it", || (failures(&hub.reports()) > 0).then_some(())).await;
    hub.lose_answers(false);
    deny(&agent, 1).await;
    until_failures(&hub, 3).await;
    let spool = agent.data.path().join("spool");
    until("the spool is empty", || (files(&spool) == 0).then_some(())).await;
    assert_eq!(failures(&hub.reports()), 3);
}

#[tokio::test]
async fn killed_agent_loses_nothing_that_it_had_written_down() {
    let (hub, agent) = enforcing().await;
    let data = agent.stop().await;
    let agent = TestAgent::start_in(data, &hub, &["--report-every", "1h"]).await;
    deny(&agent, 2).await;
    let spool = agent.data.path().join("spool");
    let written = || {
        let journal = std::fs::read_dir(&spool).unwrap().next()?.unwrap().path();
        (std::fs::read_to_string(journal).ok()?.matches("\"review\":").count() == 2).then_some(())
    };
    until("the journal has both", written).await;
    let data = agent.kill().await;
    assert!(hub.reports().is_empty());
    let _agent = TestAgent::start_in(data, &hub, &[]).await;
    until_failures(&hub, 2).await;
}

#[tokio::test]
async fn stopped_agent_keeps_what_it_judged_last() {
    let (hub, agent) = enforcing().await;
    let data = agent.stop().await;
    let agent = TestAgent::start_in(data, &hub, &["--report-every", "1h"]).await;
    deny(&agent, 2).await;
    let data = agent.stop().await;
    let _agent = TestAgent::start_in(data, &hub, &[]).await;
    until_failures(&hub, 2).await;
}

#[tokio::test]
async fn nothing_secret_is_in_the_spool() {
    let (hub, agent) = enforcing().await;
    hub.go_away();
    deny(&agent, 1).await;
    let data = agent.stop().await;
    for entry in std::fs::read_dir(data.path().join("spool")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("labels") && !text.contains(crate::fake_hub::CREDENTIAL), "{text}");
    }
}

#[tokio::test]
async fn reports_of_a_revoked_agent_are_kept() {
    let (hub, agent) = enforcing().await;
    hub.revoke(true);
    deny(&agent, 2).await;
    agent.until_metric("writ_agent_spool_files 1").await;
    agent.until_metric("writ_agent_hub_connected 0").await;
    deny(&agent, 1).await;
    hub.revoke(false);
    until_failures(&hub, 3).await;
}

#[tokio::test]
async fn report_that_the_hub_never_takes_is_put_aside_and_said_to_be_missing() {
    let (hub, agent) = enforcing().await;
    hub.reject_reports(true);
    deny(&agent, 1).await;
    agent.until_metric("writ_agent_reports_rejected_total 1").await;
    assert_eq!(files(&agent.data.path().join("rejected")), 1);
    hub.reject_reports(false);
    deny(&agent, 1).await;
    until_failures(&hub, 1).await;
    assert_eq!(hub.reports()[0].dropped, 3, "a failure and two rows of counts");
}

#[tokio::test]
async fn full_hub_is_left_alone_for_as_long_as_it_asks() {
    let (hub, agent) = enforcing().await;
    hub.be_full(true);
    deny(&agent, 1).await;
    until("the hub was asked twice", || (hub.put_off().len() >= 2).then_some(())).await;
    hub.be_full(false);
    until_failures(&hub, 1).await;
    let asked = hub.put_off();
    assert!(asked[1] - asked[0] >= std::time::Duration::from_secs(1), "{asked:?}");
}
