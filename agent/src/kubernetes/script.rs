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
    queries: Arc<Mutex<Vec<String>>>,
}

struct Step {
    method: &'static str,
    path: &'static str,
    status: u16,
    answer: String,
    /// Whether the answer never ends.
    held: bool,
}

impl Script {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn expect(self, method: &'static str, path: &'static str, (status, answer): (u16, Value)) -> Self {
        let step = Step { method, path, status, answer: answer.to_string(), held: false };
        self.steps.lock().unwrap().push_back(step);
        self
    }

    /// A watch: one event a line, then the end.
    pub(super) fn stream(self, method: &'static str, path: &'static str, answer: String) -> Self {
        self.steps.lock().unwrap().push_back(Step { method, path, status: 200, answer, held: false });
        self
    }

    /// A watch without events that does not end.
    pub(super) fn hold(self, method: &'static str, path: &'static str) -> Self {
        let (status, answer, held) = (200, String::new(), true);
        self.steps.lock().unwrap().push_back(Step { method, path, status, answer, held });
        self
    }

    /// What was asked so far, by path and query.
    pub(super) fn queries(&self) -> Vec<String> {
        self.queries.lock().unwrap().clone()
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

    async fn answer(self, request: Request<Body>) -> Result<Response<axum::body::Body>, std::io::Error> {
        let step = self.steps.lock().unwrap().pop_front();
        let asked = format!("{} {}", request.method(), request.uri().path());
        let Some(step) = step.filter(|step| asked == format!("{} {}", step.method, step.path)) else {
            return Err(std::io::Error::other(format!("{asked} is not in the script")));
        };
        self.queries.lock().unwrap().push(request.uri().to_string());
        let body = request.into_body().collect_bytes().await.map_err(std::io::Error::other)?;
        self.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap_or(Value::Null));
        let answer = match step.held {
            true => axum::body::Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>()),
            false => step.answer.into(),
        };
        Ok(Response::builder().status(step.status).body(answer).unwrap())
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
