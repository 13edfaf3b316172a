//! What a handler answers when it cannot do what was asked. Public text is for people, the cause is for the log.
//! A failure travels as a response extension, so that pages may show it as a page (`pages`) and everything else
//! shows it as JSON ([`show_as_json`]); it is logged in one place, there or by the page.

use axum::extract::Request;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use tower_http::request_id::RequestId;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("{0}")]
    Invalid(String),
    #[error("this needs the admin token")]
    LoginNeeded,
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("{0}")]
    Forbidden(String),
    #[error("there is no {0}")]
    Absent(String),
    #[error("{0}")]
    Conflict(String),
    #[error("the request is larger than it may be")]
    TooLarge,
    #[error("{reason}")]
    Later { after: u64, reason: String },
    #[error("{0}")]
    CannotStore(&'static str),
    #[error("the hub is busy, try again")]
    Busy,
    #[error("Internal error")]
    Internal(#[source] anyhow::Error),
}

/// What handlers return.
#[derive(Debug, Clone)]
pub struct Failure(Arc<Error>);

impl Failure {
    /// The error.
    pub fn error(&self) -> &Error {
        &self.0
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match &*self.0 {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::LoginNeeded | Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::Absent(_) => StatusCode::NOT_FOUND,
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Later { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::CannotStore(_) | Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// After how many seconds the same may work.
    fn retry_after(&self) -> Option<u64> {
        match &*self.0 {
            Error::Later { after, .. } => Some(*after),
            Error::CannotStore(_) => Some(5),
            Error::Busy => Some(1),
            _ => None,
        }
    }

    /// Writes the cause to the log; only what a person must look at.
    pub fn log(&self, request: &str) {
        if let Error::Internal(cause) = &*self.0 {
            tracing::error!(request.id = request, error = format!("{cause:#}"), "a request failed");
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Error::Internal(error)
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
            _ => Error::Invalid(rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Error::Invalid(rejection.body_text())
    }
}

impl From<PathRejection> for Error {
    fn from(rejection: PathRejection) -> Self {
        Error::Invalid(rejection.body_text())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The request id that layers gave this request, or nothing.
pub fn request_id(request: &Request) -> String {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    id.unwrap_or_default().to_owned()
}

/// Layer: a failure that nobody has shown yet becomes `{"error": ..., "request": ...}`.
pub async fn show_as_json(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let mut response = next.run(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    failure.log(&id);
    let body = serde_json::json!({ "error": failure.error().to_string(), "request": id });
    let mut shown = (failure.status(), axum::Json(body)).into_response();
    if let Some(seconds) = failure.retry_after() {
        shown.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if failure.status() == StatusCode::UNAUTHORIZED {
        shown.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    shown
}
