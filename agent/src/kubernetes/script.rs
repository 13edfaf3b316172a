//! A conversation with the API server, written down beforehand: what is asked, in which order, and what it answers.

use super::Cluster;
use clap::Parser;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The lines that are still to come, and the bodies that were sent.
#[derive(Clone, Default)]
pub(super) struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

struct Step {
    method: &'static str,
    path: &'static str,
    status: u16,
    answer: String,
}

impl Script {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn expect(self, method: &'static str, path: &'static str, (status, answer): (u16, Value)) -> Self {
        let step = Step { method, path, status, answer: answer.to_string() };
        self.steps.lock().unwrap().push_back(step);
        self
    }

    /// A watch: one event a line, then the end.
    pub(super) fn stream(self, method: &'static str, path: &'static str, answer: String) -> Self {
        self.steps.lock().unwrap().push_back(Step { method, path, status: 200, answer });
        self
    }

    /// The whole conversation took place.
    pub(super) fn assert_done(&self) {
        assert_eq!(self.steps.lock().unwrap().len(), 0, "lines of the script that nobody asked");
    }

    /// What was sent so far, `null` for requests without a body.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().clone()
    }

    pub(super) fn client(&self) -> Client {
        let script = self.clone();
        Client::new(tower::service_fn(move |request| script.clone().answer(request)), "default")
    }

    pub(super) fn cluster(&self, names: &[String]) -> Cluster {
        Cluster { names: names.to_vec(), ..self.cluster_of(&[]) }
    }

    /// With these arguments of the agent.
    pub(super) fn cluster_of(&self, arguments: &[&str]) -> Cluster {
        let all = [&["writ-agent", "--hub", "https://hub.example"], arguments].concat();
        Cluster::new(self.client(), &crate::Config::try_parse_from(all).unwrap())
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let step = self.steps.lock().unwrap().pop_front();
        let asked = format!("{} {}", request.method(), request.uri().path());
        let Some(step) = step.filter(|step| asked == format!("{} {}", step.method, step.path)) else {
            return Err(std::io::Error::other(format!("{asked} is not in the script")));
        };
        let body = request.into_body().collect_bytes().await.map_err(std::io::Error::other)?;
        self.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap_or(Value::Null));
        let answer = Response::builder().status(step.status).body(Body::from(step.answer.into_bytes()));
        Ok(answer.unwrap())
    }
}

/// 404, as the API server says it.
pub(super) fn absent() -> (u16, Value) {
    failure(404, "NotFound")
}

/// 409: another replica was faster.
pub(super) fn conflict() -> (u16, Value) {
    failure(409, "Conflict")
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": reason,
    });
    (code, status)
}
