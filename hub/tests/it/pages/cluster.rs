//! `/clusters/{name}`: what a cluster operator looks for at 3 am.

use super::{Page, enforcing};
use crate::support::{NOW, TestAgent, TestHub};
use serde_json::json;
use writ_policy::wire::{AgentState, AuditPass, Report, UnseenKind};

const DAY: i64 = 86_400_000;

fn named(agent: &TestAgent, replica: &str) -> AgentState {
    AgentState { replica: replica.into(), ..agent.state() }
}

#[tokio::test]
async fn state_says_what_is_open_audited_ending_and_untold() {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    let page = Page::of(&hub, "/clusters/prod").await;
    assert_eq!(page.text("#audit"), "none yet: existing objects were not looked at");
    assert!(page.texts("#break-glass, #certificate, #untold").is_empty());

    let wanted =
        json!({"cluster": "prod", "namespace": "shop", "for_seconds": 3600, "reason": "registry", "by": "ada"});
    assert_eq!(hub.post("/api/v1/break-glass", &wanted).await.status, 200);
    let wanted = json!({"cluster": "other", "for_seconds": 3600, "reason": "elsewhere", "by": "bob"});
    hub.enroll("other").await;
    assert_eq!(hub.post("/api/v1/break-glass", &wanted).await.status, 200);
    let unseen = vec![UnseenKind { kind: "Secret".into(), reason: "cannot <b>list</b>".into() }];
    let (desired, _) = agent.desired(&hub).await;
    let bundle: serde_json::Value = serde_json::from_str(&desired.bundle.payload).unwrap();
    let revision = serde_json::from_value(bundle["revision"].clone()).unwrap();
    let pass = AuditPass { started_at: NOW - 2_000, finished_at: NOW - 1_000, revision, objects: 12, unseen };
    let report = Report { audits: vec![pass], ..agent.report(1, vec![]) };
    assert_eq!(agent.send(&hub, &report).await.status, 200);
    let state = AgentState { certificate_expires_at: Some(NOW + 3 * DAY), untold: 5, ..agent.state() };
    agent.ask(&hub, None, state).await;

    let page = Page::of(&hub, "/clusters/prod").await;
    let open = page.texts("#break-glass");
    assert!(open.len() == 1 && open[0].contains("shop") && open[0].contains("registry"), "{open:?}");
    let audit = page.text("#audit");
    assert!(audit.contains("12 objects") && audit.contains("Secret was not seen: cannot <b>list</b>"), "{audit}");
    assert!(page.text("#certificate").contains("it ends soon and was not renewed"));
    assert!(page.text("#untold").starts_with("5 Events"));
}

#[tokio::test]
async fn two_agents_of_one_name_are_told_apart_from_one_that_restarts() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let other = TestAgent::new(&hub, agent.enrolled.clone());
    let says = async |what: &str| {
        let state = Page::of(&hub, "/clusters/prod").await.text("#state");
        assert!(state.contains("two agents with the name `a`") == (what == "two"), "{what}: {state}");
    };
    agent.ask(&hub, None, named(&agent, "a")).await;
    other.ask(&hub, None, named(&other, "a")).await;
    says("restarted").await;
    agent.ask(&hub, None, named(&agent, "a")).await;
    says("two").await;
    other.ask(&hub, None, named(&other, "a")).await;
    says("two").await;
    hub.clock.set(NOW + 301_000);
    other.ask(&hub, None, named(&other, "a")).await;
    says("one").await;
}
