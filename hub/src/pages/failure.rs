//! Pages for what is absent, not allowed or went wrong. A 500 says "Internal error" and the request id, no more.

use super::layout::Layout;
use crate::failure::{Error, Failure, request_id};
use askama::Template;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use url::form_urlencoded::byte_serialize;

/// The page.
#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    layout: Layout,
    status: u16,
    title: &'static str,
    text: String,
    request: String,
}

/// Any address that no route knows.
pub(super) async fn absent(uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(120).collect();
    Error::Absent(format!("page {path}")).into()
}

/// Layer: a failure of a page is shown as a page; who has to sign in is led there and back.
pub(super) async fn show_as_page(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let uri = request.uri().clone();
    let mut response = next.run(request).await;
    if ["/api/", "/v1/"].iter().any(|start| uri.path().starts_with(start)) {
        return response;
    }
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    if matches!(failure.error(), Error::LoginNeeded) {
        let here: String = uri.path_and_query().map_or("/", |path| path.as_str()).into();
        let next: String = byte_serialize(here.as_bytes()).collect();
        return Redirect::to(&format!("/login?next={next}")).into_response();
    }
    failure.log(&id);
    page(&failure, id)
}

fn page(failure: &Failure, request: String) -> Response {
    let now = jiff::Timestamp::now().as_millisecond();
    let status = failure.status();
    let text = sentence(&failure.error().to_string());
    let page = FailurePage { layout: Layout::bare(now), status: status.as_u16(), title: title(status), text, request };
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => (status, page.text).into_response(),
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::BAD_REQUEST => "This address cannot be read",
        StatusCode::SERVICE_UNAVAILABLE => "The hub is busy",
        StatusCode::INTERNAL_SERVER_ERROR => "Internal error",
        _ => "This is not possible",
    }
}

/// Errors are lower case without full stop; people read sentences.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
