//! Who asks: a user with a password, a bearer token, or an app whose token is asked for when it is needed.

use crate::{Options, github_app};
use anyhow::{Context, ensure};
use reqwest::{Client, RequestBuilder};
use std::path::Path;
use url::{Host, Url};

const MAX_PASSWORD_BYTES: usize = 16 << 10;

/// What each request shows.
pub(super) enum Login {
    Nobody,
    Basic(String, String),
    Bearer(String),
}

impl Login {
    /// Reads files anew; asks GitHub when the app has no token that lasts.
    pub(super) async fn of(options: &Options, client: &Client, base: &Url) -> anyhow::Result<Self> {
        let secret = match (&options.github_app, &options.password_file) {
            (None, None) => return Ok(Login::Nobody),
            (app, file) => {
                ensure!(may_carry_secrets(base), "a password is not sent over plain http: use https");
                match (app, file) {
                    (Some(app), _) => {
                        let token = app.token(client, base).await.context("logging in as a GitHub App")?;
                        return Ok(Login::Basic(github_app::USERNAME.to_owned(), token));
                    }
                    (None, file) => read(file.as_deref().expect("one of the two is there"))?,
                }
            }
        };
        Ok(match options.bearer {
            true => Login::Bearer(secret),
            false => Login::Basic(options.username.clone().unwrap_or_else(|| "git".to_owned()), secret),
        })
    }

    pub(super) fn is_somebody(&self) -> bool {
        !matches!(self, Login::Nobody)
    }

    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Login::Nobody => None,
            Login::Basic(_, secret) | Login::Bearer(secret) => Some(secret),
        }
    }

    pub(super) fn show(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Login::Nobody => request,
            Login::Basic(user, password) => request.basic_auth(user, Some(password)),
            Login::Bearer(token) => request.bearer_auth(token),
        }
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let password = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    ensure!(!password.is_empty(), "{} holds no password", file.display());
    ensure!(password.len() <= MAX_PASSWORD_BYTES, "{} is too long for a password", file.display());
    Ok(password)
}

/// Whether nobody on the way can read what is sent there.
pub(crate) fn may_carry_secrets(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || is_loopback
}
