//! Who may see and change what: extractors that a route cannot forget, because what it needs is read from them.
//! On loopback people are let in without a word; anywhere else, or when a token is configured, they show the admin
//! token or a session that it opened. Agents always show their credential.

use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts;
use http::{HeaderMap, header};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use writ_policy::{AgentId, ClusterName, Digest};

/// The name of the session cookie.
const SESSION: &str = "writ_session";
/// How long a session lasts, in milliseconds.
const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// Someone who may look at everything the hub shows.
#[derive(Debug, Clone, Copy)]
pub struct Viewer;

/// Someone who may change things. The same people as [`Viewer`] for now; a route says which it means.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

/// An agent that showed a valid credential.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Who it is.
    pub id: AgentId,
    /// The row of its cluster.
    pub cluster_id: i64,
    /// The cluster it speaks for.
    pub cluster: ClusterName,
}

/// How people are let in.
#[derive(Debug)]
pub struct Access {
    /// `None`: everyone who can connect to loopback.
    admin_token: Option<Digest>,
    /// Whether `Host` must be a name of this machine's loopback (against DNS rebinding).
    only_local_host: bool,
    /// Whether cookies are for https only.
    secure_cookie: bool,
}

impl Access {
    /// Lets in everyone who connects to loopback by its name.
    pub fn open_on_loopback() -> Self {
        Self { admin_token: None, only_local_host: true, secure_cookie: false }
    }

    /// Lets in who shows the token with this digest.
    pub fn by_admin_token(admin_token: Digest, secure_cookie: bool) -> Self {
        Self { admin_token: Some(admin_token), only_local_host: false, secure_cookie }
    }

    /// Whether people must show the admin token.
    pub fn asks_for_token(&self) -> bool {
        self.admin_token.is_some()
    }

    fn cookie(&self, secret: String) -> Cookie<'static> {
        let cookie = Cookie::build((SESSION, secret)).path("/").http_only(true).same_site(SameSite::Strict);
        cookie.secure(self.secure_cookie).build()
    }
}

/// Opens a session, valid at every hub, for who knows the admin token; the cookie is for the answer.
pub async fn sign_in(app: &App, token: &str) -> store::Result<Option<Cookie<'static>>> {
    // Comparing digests leaks nothing of the token by its timing.
    let Some(opened_by) = app.access.admin_token.filter(|token_of_all| *token_of_all == Digest::of(token.trim()))
    else {
        return Ok(None);
    };
    let secret = random_secret();
    app.store.open_session(&Digest::of(&secret), &opened_by, app.now() + SESSION_MS).await?;
    Ok(Some(app.access.cookie(secret)))
}

/// Ends the session of this request, if it has one; the cookie that clears it is for the answer.
pub async fn sign_out(app: &App, jar: &CookieJar) -> store::Result<Cookie<'static>> {
    if let Some(cookie) = jar.get(SESSION) {
        app.store.end_session(&Digest::of(cookie.value())).await?;
    }
    Ok(Cookie::build((SESSION, "")).path("/").http_only(true).removal().build())
}

async fn admits(app: &App, headers: &HeaderMap) -> store::Result<bool> {
    let Some(admin_token) = app.access.admin_token else { return Ok(true) };
    if let Some(token) = bearer(headers) {
        return Ok(Digest::of(token) == admin_token);
    }
    let jar = CookieJar::from_headers(headers);
    let Some(cookie) = jar.get(SESSION) else { return Ok(false) };
    app.store.is_open_session(&Digest::of(cookie.value()), &admin_token, app.now()).await
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        match admits(app, &parts.headers).await? {
            true => Ok(Viewer),
            false => Err(Error::LoginNeeded.into()),
        }
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Viewer::from_request_parts(parts, app).await.map(|_| Admin)
    }
}

impl FromRequestParts<App> for Agent {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let credential = bearer(&parts.headers).ok_or(Error::Unauthorized("this needs an agent's credential"))?;
        let agent = app.store.agent_by_credential(&Digest::of(credential), app.now()).await?;
        Ok(agent.ok_or(Error::Unauthorized("the credential is unknown, revoked or expired"))?)
    }
}

/// Layer: on loopback only requests that name this machine are served, so that a web page elsewhere cannot reach the
/// hub through a name that it made resolve to 127.0.0.1.
pub async fn check_host(State(app): State<App>, request: Request, next: Next) -> Result<Response, Failure> {
    if app.access.only_local_host {
        let named = request.uri().authority().map(|authority| authority.as_str());
        let named = named.or_else(|| request.headers().get(header::HOST).and_then(|host| host.to_str().ok()));
        if !named.is_some_and(is_local_host) {
            let text = "this hub listens on loopback and answers only to localhost, 127.0.0.1 and [::1]";
            return Err(Error::Forbidden(text.into()).into());
        }
    }
    Ok(next.run(request).await)
}

/// Layer: requests that change something come from the hub's own pages or from no page at all.
pub fn refuse_other_sites() -> CsrfLayer<fn(ProtectionError) -> Response> {
    let refused = |_| {
        let text = "the request comes from a page of another site, or through a proxy that changes `Host`";
        Failure::from(Error::Forbidden(text.into())).into_response()
    };
    CsrfLayer::new().with_rejection_response(refused)
}

fn is_local_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// 256 random bits as text for URLs and headers.
pub fn random_secret() -> String {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_loopback_are_local() {
        for (host, expected) in [
            ("localhost:8420", true),
            ("127.0.0.1", true),
            ("[::1]:1", true),
            ("[::1]", true),
            ("evil.example:8420", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:80", false),
            ("", false),
        ] {
            assert_eq!(is_local_host(host), expected, "{host}");
        }
    }
}
