//! `POST /validate`: bytes in, bytes out. Each review goes to one evaluation worker; what came of it is handed to
//! `report` without waiting. A review that cannot be judged is answered by `webhook/unjudged`.

mod unjudged;

use crate::config::FailurePolicy;
use crate::fatal::Fatal;
use crate::health::Health;
use crate::kubernetes::IGNORING_PATH;
use crate::metrics::{Metrics, ReviewOutcome};
use crate::report::Recorder;
use crate::status::Status;
use crate::tell::Teller;
use crate::{break_glass, clock};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tracing::{debug, error};
use unjudged::Reason;
use writ_policy::ReviewError;
use writ_runtime::evaluator::EvaluateError;
use writ_runtime::{Answered, Evaluator};

/// The largest review. The API server accepts objects of up to 3 MiB, and an update carries two.
const MAX_REVIEW_BYTES: usize = 7 << 20;
/// The most bytes of reviews in memory at one time, in KiB.
const IN_FLIGHT_KIB: usize = 64 << 10;
/// The largest review that is read to be told that there is no room.
const MAX_BUSY_REVIEW_BYTES: usize = 64 << 10;
/// What the API server waits when it does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the handler needs.
#[derive(Clone)]
pub struct Webhook(Arc<Parts>);

struct Parts {
    evaluator: Evaluator,
    recorder: Recorder,
    status: Arc<Status>,
    metrics: Arc<Metrics>,
    failure_policy: FailurePolicy,
    fatal: Fatal,
    in_flight: Semaphore,
    teller: Teller,
}

impl Webhook {
    /// Judges with the evaluator's active policies.
    pub fn new(
        evaluator: Evaluator,
        recorder: Recorder,
        health: Health,
        failure_policy: FailurePolicy,
        fatal: Fatal,
        teller: Teller,
    ) -> Self {
        let Health { status, metrics } = health;
        let in_flight = Semaphore::new(IN_FLIGHT_KIB);
        Self(Arc::new(Parts { evaluator, recorder, status, metrics, failure_policy, fatal, in_flight, teller }))
    }

    /// The one route.
    pub fn router(self) -> Router {
        Router::new().route("/validate", post(validate)).route(IGNORING_PATH, post(validate_ignoring)).with_state(self)
    }
}

/// Requests that go through without a verdict, whatever the failure policy is for the others.
async fn validate_ignoring(State(webhook): State<Webhook>, request: Request) -> Response {
    answer(&webhook.0, request, FailurePolicy::Ignore).await
}

async fn validate(State(webhook): State<Webhook>, request: Request) -> Response {
    let failure_policy = webhook.0.failure_policy;
    answer(&webhook.0, request, failure_policy).await
}

async fn answer(webhook: &Parts, request: Request, failure_policy: FailurePolicy) -> Response {
    let started = Instant::now();
    let deadline = started + timeout(request.uri().query());
    let length = content_length(&request);
    if length > MAX_REVIEW_BYTES {
        return webhook.malformed(StatusCode::PAYLOAD_TOO_LARGE, "the review is larger than 7 MiB");
    }
    let room = webhook.in_flight.try_acquire_many(1 + (length >> 10) as u32);
    if room.is_err() && length > MAX_BUSY_REVIEW_BYTES {
        return webhook.turned_away();
    }
    let body = axum::body::to_bytes(request.into_body(), length);
    match tokio::time::timeout_at(deadline.into(), body).await {
        Ok(Ok(body)) if room.is_ok() => webhook.judge(body, started, deadline, failure_policy).await,
        Ok(Ok(body)) => webhook.unjudged(&body, Reason::Busy, started, failure_policy),
        _ => webhook.malformed(StatusCode::BAD_REQUEST, "the review ended early or is larger than 7 MiB"),
    }
}

impl Parts {
    async fn judge(&self, body: Bytes, started: Instant, deadline: Instant, otherwise: FailurePolicy) -> Response {
        if !self.status.is_enforcing() {
            return self.unjudged(&body, Reason::NoPolicy, started, otherwise);
        }
        let now = clock::now();
        let decided = self.evaluator.decide(body.clone(), now, deadline);
        match tokio::time::timeout_at(deadline.into(), decided).await {
            Ok(Ok(answered)) => self.answered(answered, now, started),
            Ok(Err(EvaluateError::Review(error))) => self.unreadable(&body, &error, started, otherwise),
            Ok(Err(EvaluateError::Busy(_))) => self.unjudged(&body, Reason::Busy, started, otherwise),
            Ok(Err(EvaluateError::Panicked | EvaluateError::Stuck)) => self.crashed(&body, started, otherwise),
            Ok(Err(error @ EvaluateError::Gone)) => {
                self.fatal.raise(error.into());
                self.unjudged(&body, Reason::Broken, started, otherwise)
            }
            Err(_) => self.unjudged(&body, Reason::Slow, started, otherwise),
        }
    }

    fn answered(&self, answered: Answered, now: i64, started: Instant) -> Response {
        let Answered { decided, response, revision } = answered;
        let outcome = if decided.decision.is_allowed() { ReviewOutcome::Allowed } else { ReviewOutcome::Denied };
        break_glass::note_opener(&self.status, &decided.facts, decided.decision.is_allowed(), now);
        self.teller.tell(&decided);
        if let Some(revision) = revision {
            self.recorder.record(decided, revision, now);
        }
        self.metrics.reviewed(outcome, started.elapsed());
        json(StatusCode::OK, response)
    }

    fn unjudged(&self, body: &[u8], reason: Reason, started: Instant, otherwise: FailurePolicy) -> Response {
        self.metrics.reviewed(ReviewOutcome::Unjudged, started.elapsed());
        debug!(reason = &*reason.text(), "a review was answered by the failure policy");
        match unjudged::answer(body, &reason, otherwise, self.status.own_namespace()) {
            Some(answer) => json(StatusCode::OK, answer),
            None => plain(StatusCode::BAD_REQUEST, "not an AdmissionReview: it has no request with a uid"),
        }
    }

    fn crashed(&self, body: &[u8], started: Instant, otherwise: FailurePolicy) -> Response {
        error!("a review crashed the evaluation; it was answered by the failure policy");
        self.unjudged(body, Reason::Crashed, started, otherwise)
    }

    /// The failure policy answers where it is known who asks, so that people read the reason in its words.
    fn unreadable(&self, body: &[u8], error: &ReviewError, started: Instant, otherwise: FailurePolicy) -> Response {
        let reason = Reason::Unreadable(error.0.clone());
        let Some(answer) = unjudged::answer(body, &reason, otherwise, self.status.own_namespace()) else {
            return self.malformed(StatusCode::BAD_REQUEST, &error.to_string());
        };
        self.metrics.reviewed(ReviewOutcome::Unjudged, started.elapsed());
        debug!(reason = &*reason.text(), "a review was answered by the failure policy");
        json(StatusCode::OK, answer)
    }

    /// There is not even room to read who asks.
    fn turned_away(&self) -> Response {
        self.metrics.reviewed(ReviewOutcome::Unjudged, Duration::ZERO);
        plain(StatusCode::TOO_MANY_REQUESTS, &Reason::Busy.text())
    }

    fn malformed(&self, status: StatusCode, reason: &str) -> Response {
        self.metrics.reviewed(ReviewOutcome::Malformed, Duration::ZERO);
        debug!(reason, "a review was not understood");
        plain(status, reason)
    }
}

/// What is left of the API server's patience (`?timeout=10s`) with a tenth kept for the way back.
fn timeout(query: Option<&str>) -> Duration {
    let value = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("timeout="));
    let given = value.and_then(|value| value.parse::<jiff::SignedDuration>().ok());
    let given = given.and_then(|given| Duration::try_from(given).ok()).filter(|given| !given.is_zero());
    given.unwrap_or(DEFAULT_TIMEOUT).min(Duration::from_secs(30)) * 9 / 10
}

/// What the request says of its length; the most it may have when it does not say.
fn content_length(request: &Request) -> usize {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(MAX_REVIEW_BYTES)
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    respond(status, "application/json", body.into())
}

fn plain(status: StatusCode, text: &str) -> Response {
    respond(status, "text/plain; charset=utf-8", format!("{text}\n").into())
}

fn respond(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_of_the_api_server_is_honoured_with_a_margin() {
        for (query, milliseconds) in [
            (None, 9_000),
            (Some("timeout=10s"), 9_000),
            (Some("dryRun=All&timeout=2s"), 1_800),
            (Some("timeout=500ms"), 450),
            (Some("timeout=soon"), 9_000),
            (Some("timeout=0s"), 9_000),
            (Some("timeout=10h"), 27_000),
        ] {
            assert_eq!(timeout(query).as_millis(), milliseconds, "{query:?}");
        }
    }
}
