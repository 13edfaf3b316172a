//! Waves, from a commit to what each cluster is told: held back, halted by what policies do, resumed, skipped, pinned.

use crate::support::{NOW, TestAgent, TestHub, policy, policy_count};
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use writ_hub::assign;
use writ_policy::bundle::Assignment;
use writ_policy::wire::{PolicyCount, Report};
use writ_policy::{Digest, Revision};

const FLEET: &str = "apiVersion: writ.dev/v1
kind: Fleet
waves:
  - {name: canary, match: {ring: \"0\"}, soak: 10m, haltOn: {denyRateRise: 5%}}
  - {name: rest}
";
const MINUTE: i64 = 60_000;

/// A hub with waves, a canary and two other clusters, all of which enforce its first commit.
struct Fleet {
    hub: TestHub,
    agents: Vec<TestAgent>,
    names: [&'static str; 3],
}

impl Fleet {
    async fn new() -> Self {
        let mut hub = TestHub::new().await;
        hub.repository.write("fleet.yaml", FLEET);
        hub.commit("Waves").await;
        let names = ["canary", "eu", "us"];
        let mut agents = vec![];
        for name in names {
            let labels = if name == "canary" { json!({ "ring": "0" }) } else { json!({}) };
            let wanted = json!({ "cluster": name, "labels": labels });
            let token = hub.post("/api/v1/enrollment-tokens", &wanted).await.json()["token"].clone();
            let enrolled = hub.post("/v1/enroll", &json!({ "token": token, "version": "1" })).await;
            agents.push(TestAgent::new(&hub, serde_json::from_slice(&enrolled.body).unwrap()));
        }
        hub.sync().await;
        let fleet = Self { hub, agents, names };
        for cluster in 0..3 {
            fleet.prove(cluster).await;
        }
        fleet
    }

    /// Commits another version of the policy.
    async fn commit(&mut self, message: &str) -> Revision {
        self.hub.repository.write("test1.rego", policy("TEST1", &message.replace('\n', " ")));
        self.hub.commit(message).await
    }

    async fn step(&self) {
        assign::assign(&self.hub.hub.app).await.unwrap();
    }

    /// What a cluster is told, and that it enforces it.
    async fn prove(&self, cluster: usize) -> Assignment {
        let agent = &self.agents[cluster];
        let (desired, assignment) = agent.desired(&self.hub).await;
        let digest = desired.assignment.digest();
        agent.ask(&self.hub, Some(digest), agent.enforcing(&desired, self.hub.hub.app.now())).await;
        assignment
    }

    async fn desired(&self) -> Vec<String> {
        let clusters = self.hub.get("/api/v1/clusters").await.json();
        let desired = |cluster: &Value| cluster["desired"]["revision"].as_str().unwrap_or_default().to_owned();
        let by_name = |name: &&str| clusters.as_array().unwrap().iter().find(|cluster| cluster["name"] == **name);
        self.names.iter().map(|name| desired(by_name(name).unwrap())).collect()
    }

    async fn rollout(&self) -> Value {
        self.hub.get("/api/v1/rollouts").await.json()["rollouts"][0].clone()
    }

    async fn order(&self, kind: &str) {
        let order = json!({ "kind": kind, "reason": "we looked", "by": "ada" });
        let answer = self.hub.post("/api/v1/rollouts/orders", &order).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.step().await;
    }

    /// What the canary's policy did by this revision.
    async fn judge(&self, sequence: u64, revision: &Revision, denials: u64, passes: u64) {
        let minute = self.hub.hub.app.now() / MINUTE;
        let count =
            PolicyCount { revision: revision.clone(), minute, passes, denials, warnings: 0, ..policy_count(denials) };
        let report = Report { policy_counts: vec![count], ..self.agents[0].report(sequence, vec![]) };
        assert_eq!(self.agents[0].send(&self.hub, &report).await.status, 200);
    }
}

#[tokio::test]
async fn later_wave_is_told_after_the_soak_of_the_one_before() {
    let mut fleet = Fleet::new().await;
    let first = fleet.desired().await[0].clone();
    let second = fleet.commit("Second").await.to_string();
    assert_eq!(fleet.desired().await, [second.as_str(), first.as_str(), first.as_str()]);
    fleet.prove(0).await;
    fleet.step().await;
    let rollout = fleet.rollout().await;
    assert_eq!(
        (&rollout["phase"], &rollout["wave"], &rollout["soak_since"]),
        (&json!("rolling"), &json!("canary"), &json!(NOW))
    );
    fleet.hub.clock.set(NOW + MINUTE);
    for cluster in 0..3 {
        fleet.prove(cluster).await;
    }
    // A renewal in between keeps clusters of later waves at what they have.
    fleet.step().await;
    assert_eq!(fleet.desired().await[1], first);
    fleet.hub.clock.set(NOW + 10 * MINUTE);
    fleet.step().await;
    assert_eq!(fleet.desired().await, [second.as_str(), second.as_str(), second.as_str()]);
    assert_eq!(fleet.rollout().await["phase"], "done");
}

#[tokio::test]
async fn poison_policy_never_leaves_the_first_wave() {
    let mut fleet = Fleet::new().await;
    let first = Revision::new(fleet.desired().await[0].clone()).unwrap();
    fleet.judge(1, &first, 0, 200).await;
    let poison = fleet.commit("Deny everything").await;
    fleet.prove(0).await;
    fleet.judge(2, &poison, 5, 0).await;
    fleet.step().await;
    let rollout = fleet.rollout().await;
    assert_eq!(rollout["phase"], "halted");
    let reason = rollout["halted"].as_str().unwrap();
    assert!(reason.contains("`test1` denies 5 of 5") && reason.contains("before 0 of 200"), "{reason}");
    fleet.hub.clock.set(NOW + 60 * MINUTE);
    for cluster in 0..3 {
        fleet.prove(cluster).await;
    }
    fleet.step().await;
    assert_eq!(
        fleet.desired().await,
        [poison.to_string(), first.to_string(), first.to_string()],
        "it stays where it is"
    );
    let page = fleet.hub.get("/rollouts").await.text();
    assert!(page.contains("Halted in wave") && page.contains("denies 5 of 5"), "{page}");

    // The revert holds what was rolled out before: it waits for no soak.
    fleet.hub.repository.write("test1.rego", policy("TEST1", "no"));
    let revert = fleet.hub.commit("Revert").await.to_string();
    fleet.prove(0).await;
    fleet.step().await;
    assert_eq!(fleet.desired().await, [revert.as_str(), revert.as_str(), revert.as_str()]);
    let rollout = fleet.rollout().await;
    assert_eq!((&rollout["phase"], &rollout["urgent"]), (&json!("done"), &json!(true)));
    let former = fleet.hub.get("/api/v1/rollouts").await.json()["rollouts"][1].clone();
    assert_eq!((&former["phase"], &former["events"][0]["kind"]), (&json!("superseded"), &json!("superseded")));
}

#[tokio::test]
async fn halted_rollout_goes_on_when_somebody_resumes_it() {
    let mut fleet = Fleet::new().await;
    let second = fleet.commit("Second").await;
    let agent = &fleet.agents[0];
    let (desired, _) = agent.desired(&fleet.hub).await;
    agent.ask(&fleet.hub, None, agent.refusing(&desired, "no memory")).await;
    fleet.step().await;
    assert_eq!(fleet.rollout().await["halted"], "canary refused it: no memory");
    let order = json!({ "kind": "skip", "reason": "x", "by": "ada" });
    let answer = fleet.hub.post("/api/v1/rollouts/orders", &order).await;
    assert_eq!((answer.status.as_u16(), answer.error().contains("halted")), (409, true));
    fleet.order("resume").await;
    fleet.order("skip").await;
    assert_eq!(fleet.desired().await, vec![second.to_string(); 3]);
    let events = fleet.rollout().await["events"].clone();
    let kinds: Vec<&str> = events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["done", "advanced", "skipped", "reached", "resumed", "halted", "began"]);
    assert_eq!((&events[4]["reason"], &events[4]["ordered_by"]), (&json!("we looked"), &json!("ada")));
}

#[tokio::test]
async fn urgent_commit_waits_for_no_soak() {
    let mut fleet = Fleet::new().await;
    let urgent = fleet.commit("Close the hole\n\nWrit-Rollout: urgent").await.to_string();
    fleet.prove(0).await;
    fleet.step().await;
    assert_eq!(fleet.desired().await, vec![urgent; 3]);
}

#[tokio::test]
async fn pinned_cluster_stays_until_it_is_let_go() {
    let mut fleet = Fleet::new().await;
    let first = fleet.desired().await[2].clone();
    let pin = json!({ "kind": "pin", "cluster": "us", "reason": "frozen", "by": "ada" });
    assert_eq!(fleet.hub.post("/api/v1/rollouts/orders", &pin).await.status, 200);
    let second = fleet.commit("Second\n\nWrit-Rollout: urgent").await.to_string();
    fleet.prove(0).await;
    fleet.step().await;
    assert_eq!(fleet.desired().await, [second.as_str(), second.as_str(), first.as_str()]);
    let pins = fleet.hub.get("/api/v1/rollouts").await.json()["pins"].clone();
    assert_eq!((&pins[0]["cluster"], &pins[0]["revision"]), (&json!("us"), &json!(first)));
    let form = Request::post("/rollouts/orders").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = fleet.hub.send(form.body(Body::from("kind=unpin&cluster=us")).unwrap()).await;
    assert_eq!(answer.status, 303);
    fleet.step().await;
    assert_eq!(fleet.desired().await[2], second);
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_with_the_reason() {
    let fleet = Fleet::new().await;
    for (order, status) in [
        (json!({ "kind": "resume", "reason": "x", "by": "ada" }), 409),
        (json!({ "kind": "pin", "cluster": "us", "by": "ada" }), 400),
        (json!({ "kind": "pin", "cluster": "nobody", "reason": "x", "by": "ada" }), 404),
        (json!({ "kind": "pin", "reason": "x", "by": "ada" }), 400),
        (json!({ "kind": "pin", "cluster": "us", "revision": "0".repeat(40), "reason": "x", "by": "ada" }), 404),
        (json!({ "kind": "unpin", "cluster": "us", "by": "ada" }), 409),
        (json!({ "kind": "dance", "reason": "x", "by": "ada" }), 422),
        (json!({ "kind": "halt", "reason": "x", "by": "" }), 400),
    ] {
        let answer = fleet.hub.post("/api/v1/rollouts/orders", &order).await;
        let is_it = answer.status == status || (status == 422 && answer.status.is_client_error());
        assert!(is_it && !answer.error().is_empty(), "{order}: {}", answer.text());
    }
}

#[tokio::test]
async fn cluster_that_enrolls_in_a_later_wave_gets_what_was_rolled_out_before() {
    let mut fleet = Fleet::new().await;
    let first = fleet.desired().await[0].clone();
    fleet.commit("Second").await;
    let late = fleet.hub.enroll("late").await;
    let (desired, _) = late.desired(&fleet.hub).await;
    assert_eq!(late.bundle(&desired).revision.as_str(), first);
}

#[tokio::test]
async fn restored_hub_goes_on_beyond_the_epoch_that_its_own_signature_proves() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, assignment) = agent.desired(&hub).await;
    let later = Assignment { epoch: 41, ..assignment.clone() };
    let proof = hub.hub.app.keys.signing().sign(&later);
    let mut state = agent.enforcing(&desired, NOW);
    state.active.as_mut().unwrap().epoch = 41;
    state.active.as_mut().unwrap().assignment = proof.digest();
    let have: Option<Digest> = Some(proof.digest());
    let answer = agent.ask(&hub, have, state.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.error().contains("proof")), (409, true), "a claim alone proves nothing");
    let (stranger, _) = writ_policy::sign::SigningKey::generate();
    let of_another = Assignment { cluster: "dev".parse().unwrap(), ..later.clone() };
    for forged in [stranger.sign(&later), hub.hub.app.keys.signing().sign(&of_another)] {
        assert_eq!(agent.show(&hub, have, state.clone(), forged).await.status, 409);
    }
    agent.show(&hub, have, state, proof).await;
    assign::assign(&hub.hub.app).await.unwrap();
    assert_eq!(agent.desired(&hub).await.1.epoch, 42);
}

#[tokio::test]
async fn agent_reads_nothing_of_a_revision_that_its_cluster_is_not_told() {
    let mut fleet = Fleet::new().await;
    fleet.commit("Second").await;
    let (canary, eu) = (&fleet.agents[0], &fleet.agents[1]);
    let (desired, _) = canary.desired(&fleet.hub).await;
    let index = canary.bundle(&desired).index;
    let files = canary.index(&fleet.hub, &desired).await.files;
    let policy = files.iter().find(|file| file.path.ends_with("test1.rego")).unwrap();
    for digest in [index, policy.digest] {
        let path = format!("/v1/blobs/{digest}");
        assert_eq!(canary.get(&fleet.hub, &path).await.status, 200);
        assert_eq!(eu.get(&fleet.hub, &path).await.status, 403);
    }
}
