//! The requests of one conversation: login, redirects, and what an answer's status and type must be.

use super::login::Login;
use crate::conversation::Conversation;
use crate::github_app::GitHubApp;
use crate::{Address, Options};
use anyhow::{Context, bail, ensure};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Certificate, Client, Proxy, RequestBuilder, Response, StatusCode, redirect};
use std::sync::Arc;
use url::Url;

const MAX_REDIRECTS: usize = 3;

/// What the requests of one conversation share.
pub(super) struct Session {
    pub(super) conversation: Arc<Conversation>,
    client: Client,
    /// The repository's address after redirects.
    base: Url,
    login: Login,
    app: Option<Arc<GitHubApp>>,
}

impl Session {
    pub(super) fn new(options: &Options, url: &str) -> anyhow::Result<Self> {
        let Address::Http(base) = Address::parse(url)? else { bail!("the address is not http") };
        let (conversation, client) = (Conversation::new(options)?, client(options, &base)?);
        let login = conversation.wait(Login::of(options, &client, &base))?;
        Ok(Self { conversation, client, base, login, app: options.github_app.clone() })
    }

    pub(super) fn secret(&self) -> Option<&str> {
        self.login.secret()
    }

    /// Asks for the refs and remembers where a redirect on the same host led to.
    pub(super) fn list(&mut self, service: &'static str) -> anyhow::Result<Response> {
        let suffix = format!("/info/refs?service={service}");
        for _ in 0..=MAX_REDIRECTS {
            let url = format!("{}{suffix}", self.base.as_str().trim_end_matches('/'));
            let response = self.send(self.client.get(url))?;
            if !response.status().is_redirection() {
                return checked(response, &format!("application/x-{service}-advertisement"), self.login.is_somebody());
            }
            self.base = redirected(&response, &suffix)?;
        }
        bail!("the remote redirects more than {MAX_REDIRECTS} times")
    }

    pub(super) fn post(&self, service: &'static str, request: Vec<u8>) -> anyhow::Result<Response> {
        let url = format!("{}/{service}", self.base.as_str().trim_end_matches('/'));
        let result = format!("application/x-{service}-result");
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, format!("application/x-{service}-request"))
            .header(ACCEPT, &result)
            .body(request);
        checked(self.send(request)?, &result, self.login.is_somebody())
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let request = self.login.show(request);
        let response = async { request.send().await.map_err(|error| error.without_url().into()) };
        let response: Response = self.conversation.wait(response).context("asking the remote")?;
        if let Some(app) = self.app.as_ref().filter(|_| response.status() == StatusCode::UNAUTHORIZED) {
            app.forget();
        }
        Ok(response)
    }
}

/// The answer, once its status and type are right.
fn checked(response: Response, expected: &str, with_login: bool) -> anyhow::Result<Response> {
    match response.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED if with_login => bail!("the remote refuses the user name or password (401)"),
        StatusCode::UNAUTHORIZED => bail!("the remote asks for a user name and password (401)"),
        StatusCode::FORBIDDEN => bail!("the remote forbids access to the repository (403)"),
        StatusCode::NOT_FOUND => bail!("the remote knows no such repository, or hides it (404)"),
        status => bail!("the remote answers {status}"),
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ensure!(kind == expected, "the remote does not speak git's smart protocol there");
    Ok(response)
}

/// Where a redirect leads to, when that is the same host.
fn redirected(response: &Response, suffix: &str) -> anyhow::Result<Url> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(target) = location.and_then(|location| response.url().join(location).ok()) else {
        bail!("the remote redirects to nowhere");
    };
    let from = response.url();
    let same = (target.scheme(), target.host(), target.port_or_known_default())
        == (from.scheme(), from.host(), from.port_or_known_default());
    ensure!(
        same,
        "the remote redirects to another host, `{}`: name that one as the source",
        target.host_str().unwrap_or_default()
    );
    let Some(base) = target.as_str().strip_suffix(suffix) else { bail!("the remote redirects to an odd address") };
    match Address::parse(base)? {
        Address::Http(base) => Ok(base),
        Address::Ssh(_) => bail!("the remote redirects to an odd address"),
    }
}

fn client(options: &Options, base: &Url) -> anyhow::Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("git/2.0 (writ ", env!("CARGO_PKG_VERSION"), ")"))
        .redirect(redirect::Policy::none())
        .no_gzip()
        .referer(false);
    if let Some(file) = &options.ca_file {
        let pem = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let certificates =
            Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is not PEM", file.display()))?;
        ensure!(!certificates.is_empty(), "{} holds no certificate", file.display());
        builder = builder.tls_certs_merge(certificates);
    }
    if base.scheme() == "http" {
        // A password may be sent so to this very machine, and then to no proxy.
        builder = builder.no_proxy();
    } else if let Some(proxy) = &options.proxy {
        builder = builder.proxy(Proxy::all(proxy.as_str()).context("the proxy's address")?);
    }
    builder.build().context("preparing TLS")
}
