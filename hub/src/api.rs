//! The routes. One file per endpoint; layers that hold for all of them are here: request ids, bounds on size and
//! time, security headers, and a panic that ends one request instead of the process.

use crate::access;
use crate::app::App;
use crate::failure;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use writ_policy::wire;

pub mod blobs;
pub mod break_glass;
pub mod counts;
pub mod credential;
pub mod desired;
pub mod enroll;
pub mod enrollment_tokens;
pub mod enrollments;
pub mod explain;
pub mod failures;
pub mod health;
pub mod keys;
pub mod matrix;
pub mod metrics;
pub mod movers;
pub mod openapi;
pub mod push;
pub mod reports;
pub mod revisions;
pub mod rollouts;
pub mod session;
pub mod source;
pub mod status;
pub mod trends;
pub mod violations;

/// The largest body of a request, unless a route says otherwise.
const MAX_BODY_BYTES: usize = 64 << 10;
/// The largest word of an agent about itself.
const MAX_STATE_BYTES: usize = 512 << 10;
/// The most requests that are worked on at a time, of agents and of people each; held requests do not count.
const MAX_AT_ONCE: usize = 128;
/// The same for enrolling, for signing in and for metrics, where clients have shown nothing yet: slow ones keep out nobody else.
const MAX_STRANGERS: usize = 16;
/// The longest that a client may take between two pieces of its body.
const BODY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// What a page of the hub may do: nothing that is not the hub's own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// All routes with the layers that hold for each.
pub fn router(app: App) -> Router {
    let routes = Router::new().merge(agent_routes()).merge(people_routes());
    // Each call of `layer` costs every request a box, which a held one keeps: what fits together is one layer, the
    // outermost first.
    routes
        .layer((
            from_fn(failure::show_as_json),
            CatchPanicLayer::custom(panicked),
            from_fn_with_state(app.clone(), access::check_host),
            DefaultBodyLimit::max(MAX_BODY_BYTES),
        ))
        .layer((
            SetRequestIdLayer::x_request_id(MakeRequestUuid),
            PropagateRequestIdLayer::x_request_id(),
            set(header::CACHE_CONTROL, "no-store"),
            set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            // Without any referrer browsers send forms with `Origin: null`, which over plain http is all that tells
            // whence.
            set(header::REFERRER_POLICY, "same-origin"),
            set(header::X_FRAME_OPTIONS, "DENY"),
            set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            RequestBodyTimeoutLayer::new(BODY_TIMEOUT),
        ))
        .with_state(app)
}

/// What agents call.
fn agent_routes() -> Router<App> {
    Router::new()
        .route(wire::REPORTS, post(reports::store).layer(DefaultBodyLimit::max(wire::MAX_REPORT_BYTES)))
        .route(&format!("{}/{{digest}}", wire::BLOBS), get(blobs::blob))
        .route(wire::CREDENTIAL, post(credential::renew))
        .route(wire::KEYS, get(keys::show))
        .layer(GlobalConcurrencyLimitLayer::new(MAX_AT_ONCE))
        .route(wire::ENROLL, post(enroll::enroll).layer(GlobalConcurrencyLimitLayer::new(MAX_STRANGERS)))
        .route(wire::DESIRED, post(desired::desired).layer(DefaultBodyLimit::max(MAX_STATE_BYTES)))
}

/// What people and their tools call, and probes.
fn people_routes() -> Router<App> {
    let at_once = GlobalConcurrencyLimitLayer::new(MAX_AT_ONCE);
    let pages = crate::pages::router().layer(at_once.clone()).merge(session_routes());
    Router::new()
        .route("/api/v1/enrollment-tokens", post(enrollment_tokens::create))
        .route("/api/v1/enrollments", get(enrollments::list))
        .route("/api/v1/enrollments/accept", post(enrollments::accept))
        .route("/api/v1/enrollments/revoke", post(enrollments::revoke))
        .route("/api/v1/break-glass", post(break_glass::open).get(break_glass::list))
        .route("/api/v1/break-glass/end", post(break_glass::end))
        .route("/api/v1/source/sign", post(source::sign))
        .route("/api/v1/source/look", post(source::look))
        .route("/api/v1/source/allow", post(source::allow))
        .route("/api/v1/clusters", get(status::clusters))
        .route("/api/v1/status", get(status::show))
        .route("/api/v1/revisions", get(revisions::list))
        .route("/api/v1/revisions/{revision}", get(revisions::show))
        .route("/api/v1/rollouts", get(rollouts::list))
        .route("/api/v1/rollouts/orders", post(rollouts::order))
        .route("/api/v1/failures", get(failures::list))
        .route("/api/v1/violations", get(violations::list))
        .route("/api/v1/violations/{id}", get(violations::show))
        .route("/api/v1/trends", get(trends::show))
        .route("/api/v1/movers", get(movers::list))
        .route("/api/v1/matrix", get(matrix::show))
        .route("/api/v1/counts", get(counts::show))
        .route("/api/v1/openapi.json", get(openapi::show))
        .route("/api/v1/explain", get(explain::show))
        .layer(access::refuse_other_sites())
        .layer(at_once)
        .merge(crate::pages::with_failures(pages))
        .route("/hooks/push", post(push::push).layer(GlobalConcurrencyLimitLayer::new(MAX_STRANGERS)))
        .route("/metrics", get(metrics::show).layer(GlobalConcurrencyLimitLayer::new(MAX_STRANGERS)))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
}

/// What the forms of pages call.
fn session_routes() -> Router<App> {
    Router::new()
        .route("/login", post(session::sign_in))
        .route("/logout", post(session::sign_out))
        .route("/clusters/accept", post(crate::pages::clusters::accept))
        .route("/rollouts/orders", post(crate::pages::rollouts::order))
        .layer(access::refuse_other_sites())
        .layer(GlobalConcurrencyLimitLayer::new(MAX_STRANGERS))
}

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let failure: failure::Failure = failure::Error::Internal(anyhow::anyhow!("a handler panicked: {text}")).into();
    axum::response::IntoResponse::into_response(failure)
}

/// A JSON body; what is wrong with it is a [`failure::Failure`].
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(failure::Failure))]
pub struct Json<T>(pub T);

/// Query parameters; what is wrong with them is a [`failure::Failure`].
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(failure::Failure))]
pub struct Query<T>(pub T);

/// Path parameters; what is wrong with them is a [`failure::Failure`].
#[derive(Debug, Deserialize, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(failure::Failure))]
pub struct Path<T>(pub T);
