//! The files under `web/static`, embedded in the binary. Their URLs carry a hash of the content, so that browsers may
//! keep them for good.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::fmt::Write as _;

#[derive(RustEmbed)]
#[folder = "../web/static"]
struct Files;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const ASK_EACH_TIME: &str = "no-cache";

/// Where a page finds this file: `writ.css` is at `/static/writ.3f2a91c0.css`.
pub(super) fn url(name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').expect("asset names have an ending");
    let file = Files::get(name).expect("pages name only files of web/static");
    format!("/static/{stem}.{}.{ending}", hash(&file))
}

/// `GET /static/{file}`. A hash of another version gets today's content, not to be kept.
pub(super) async fn serve(Path(path): Path<String>) -> Response {
    let Some((name, asked)) = split(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let Some(file) = Files::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let keep = if asked == hash(&file) { FOR_GOOD } else { ASK_EACH_TIME };
    let headers = [(header::CONTENT_TYPE, content_type(&name)), (header::CACHE_CONTROL, keep)];
    (headers, file.data).into_response()
}

/// `GET /favicon.ico`, for browsers that ask before they read the page.
pub(super) async fn icon() -> Response {
    axum::response::Redirect::temporary(&url("icon.svg")).into_response()
}

/// `writ.3f2a91c0.css` is `writ.css` with hash `3f2a91c0`.
fn split(path: &str) -> Option<(String, &str)> {
    let (rest, ending) = path.rsplit_once('.')?;
    let (stem, hash) = rest.rsplit_once('.')?;
    Some((format!("{stem}.{ending}"), hash))
}

fn hash(file: &EmbeddedFile) -> String {
    file.metadata.sha256_hash()[..4].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashed_url_is_kept_for_good_and_others_are_not() {
        let path = url("writ.css").trim_start_matches("/static/").to_owned();
        let response = serve(Path(path)).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], FOR_GOOD);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(serve(Path("writ.00000000.css".into())).await.headers()[header::CACHE_CONTROL], ASK_EACH_TIME);
        assert_eq!(serve(Path("../Cargo.0.toml".into())).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(serve(Path("writ".into())).await.status(), StatusCode::NOT_FOUND);
    }
}
