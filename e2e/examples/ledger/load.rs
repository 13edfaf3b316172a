//! Reviews, one after the other at each agent, each with a uid of its own; what was answered is remembered.

use super::answers::{Answers, Kill, Object, Objection};
use super::fleet::{Agent, Fleet};
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One review of so many creates an object that violates; so much later it is deleted.
const NOTE_EVERY: u64 = 4;
const LIFE: Duration = Duration::from_secs(4);
/// What is gathered and told by then is on its way to the hub.
const AFTERWARDS: Duration = Duration::from_secs(2);

type Shared = Arc<Mutex<Answers>>;

pub(crate) struct Load {
    answers: Vec<Shared>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Load {
    pub(crate) fn start(fleet: &Fleet, rate: u64, blink: Duration) -> Self {
        let (mut answers, mut tasks, stop) = (vec![], JoinSet::new(), CancellationToken::new());
        for agent in &fleet.agents {
            let own = Shared::new(Mutex::new(Answers { cluster: agent.cluster.clone(), blink, ..Answers::default() }));
            answers.push(own.clone());
            let asker = Asker { webhook: agent.webhook.clone(), client: client(agent), answers: own, number: 0 };
            let pause = Duration::from_micros(1_000_000 / rate.max(1));
            tasks.spawn(asker.ask(pause, stop.clone()));
        }
        Self { answers, tasks, stop }
    }

    /// Waits until every agent enforces.
    pub(crate) async fn until_denied(&self) -> anyhow::Result<()> {
        super::fleet::until("every agent denies", async || {
            self.answers.iter().all(|answers| !lock(answers).objections.is_empty()).then_some(())
        })
        .await
    }

    /// The agents' disk was full since then, until now.
    pub(crate) fn disk_was_full(&self, since: Instant) {
        self.answers.iter().for_each(|answers| lock(answers).full.push((since, Instant::now())));
    }

    /// Waits until one agent denies again.
    pub(crate) async fn until_denied_by(&self, agent: usize) -> anyhow::Result<()> {
        let count = || lock(&self.answers[agent]).objections.len();
        let before = count();
        super::fleet::until("an agent denies again", async || (count() > before + 5).then_some(())).await
    }

    /// An agent is about to be killed; its disk took nothing since, or takes what comes.
    pub(crate) fn killed(&self, agent: usize, full_since: Option<Instant>) {
        let at = Instant::now();
        lock(&self.answers[agent]).kills.push(Kill { at, memory_since: full_since.unwrap_or(at) });
    }

    /// Ends the load, some time before the agents' last reports.
    pub(crate) async fn stop(&mut self) -> Vec<Answers> {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        tokio::time::sleep(AFTERWARDS).await;
        self.answers.iter().map(|answers| std::mem::take(&mut *lock(answers))).collect()
    }
}

fn lock(answers: &Shared) -> MutexGuard<'_, Answers> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Trusts the agent's own authority.
fn client(agent: &Agent) -> Client {
    let pem = std::fs::read(&agent.authority).expect("the agent wrote it");
    let authority = Certificate::from_pem(&pem).expect("it is a certificate");
    let builder = Client::builder().timeout(Duration::from_secs(5)).no_proxy().tls_certs_only([authority]);
    builder.build().expect("a client can be made")
}

struct Asker {
    webhook: String,
    client: Client,
    answers: Shared,
    number: u64,
}

impl Asker {
    async fn ask(mut self, pause: Duration, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.number += 1;
            match self.number % NOTE_EVERY {
                0 => self.create().await,
                2 => self.delete().await,
                _ => self.refused().await,
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// A review that is denied: a failure.
    async fn refused(&self) {
        let answer = self.review("CREATE", "loud", "loud").await;
        // While the agent has no policies yet it answers without a verdict, and records nothing.
        let message = answer["response"]["status"]["message"].as_str().unwrap_or_default();
        if message.contains("LE1001") {
            self.objected();
        }
    }

    /// One that is let in with a warning: a failure, and a violation.
    async fn create(&self) {
        let name = format!("note-{}", self.number);
        let answer = self.review("CREATE", &name, "note").await;
        if answer["response"]["warnings"].to_string().contains("LE2001") {
            self.objected();
            lock(&self.answers).objects.push(Object { name, at: Instant::now(), deleted_at: None });
        }
    }

    /// The violation ends.
    async fn delete(&self) {
        let is_due = |object: &Object| object.deleted_at.is_none() && object.at.elapsed() > LIFE;
        let due = lock(&self.answers).objects.iter().position(is_due);
        let Some(place) = due else { return };
        let name = lock(&self.answers).objects[place].name.clone();
        let answer = self.review("DELETE", &name, "note").await;
        // What is deleted is judged as it was.
        if answer["response"]["warnings"].to_string().contains("LE2001") {
            self.objected();
        }
        if answer["response"]["allowed"] == true {
            lock(&self.answers).objects[place].deleted_at = Some(Instant::now());
        }
    }

    fn objected(&self) {
        let mut answers = lock(&self.answers);
        let review = self.uid(&answers);
        answers.objections.push(Objection { review, at: Instant::now() });
    }

    fn uid(&self, answers: &Answers) -> String {
        format!("{}/{}", answers.cluster, self.number)
    }

    async fn review(&self, operation: &str, name: &str, word: &str) -> Value {
        let uid = {
            let mut answers = lock(&self.answers);
            answers.sent += 1;
            self.uid(&answers)
        };
        let answered = self.client.post(&self.webhook).json(&review(&uid, operation, name, word)).send().await;
        match answered {
            Ok(answered) => answered.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }
}

fn review(uid: &str, operation: &str, name: &str, word: &str) -> Value {
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "shop" },
        "data": { word: "yes" } });
    let is_gone = operation == "DELETE";
    json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": uid,
        "kind": { "group": "", "version": "v1", "kind": "ConfigMap" },
        "resource": { "group": "", "version": "v1", "resource": "configmaps" },
        "name": name, "namespace": "shop", "operation": operation,
        "userInfo": { "username": "dora", "groups": [] },
        "object": if is_gone { Value::Null } else { object.clone() },
        "oldObject": if is_gone { object } else { Value::Null },
        "dryRun": false, "options": null
    } })
}
