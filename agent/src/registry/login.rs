//! How a registry is told who asks: by basic authentication, or by a token that its own server gives for it.

use super::{Address, bounded};
use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::{Client, Url};
use serde::Deserialize;
use std::fmt;
use std::path::Path;

const MAX_ANSWER_BYTES: usize = 64 << 10;

/// A user and a password. Shown as `***`.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(***)")
    }
}

impl Login {
    /// The user, whose password is in the file.
    pub fn read(user: &str, password_file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(password_file);
        let text = text.with_context(|| format!("reading {}", password_file.display()))?;
        let password = text.trim_end_matches(['\r', '\n']).to_owned();
        ensure!(!password.is_empty(), "{} is empty", password_file.display());
        Ok(Self { user: user.to_owned(), password })
    }

    fn basic(&self) -> String {
        format!("Basic {}", BASE64.encode(format!("{}:{}", self.user, self.password)))
    }
}

#[derive(Deserialize)]
struct Given {
    #[serde(alias = "access_token")]
    token: String,
}

/// What the `Authorization` header should be, after the registry asked like this. Nothing when there is nothing to show.
pub(super) async fn token(
    client: &Client,
    address: &Address,
    challenge: &str,
    login: Option<&Login>,
) -> anyhow::Result<Option<String>> {
    let Some(parameters) = challenge.strip_prefix("Bearer ") else { return Ok(login.map(Login::basic)) };
    let find = |name: &str| {
        let (_, rest) = parameters.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut realm: Url =
        find("realm").and_then(|realm| realm.parse().ok()).context("the registry names no token server")?;
    let is_safe = realm.scheme() == "https" || address.scheme == "http";
    ensure!(is_safe, "the registry's token server is not asked over plain http");
    for (name, value) in [("service", find("service")), ("scope", find("scope"))] {
        if let Some(value) = value {
            realm.query_pairs_mut().append_pair(name, &value);
        }
    }
    let mut request = client.get(realm);
    if let Some(login) = login {
        request = request.header("authorization", login.basic());
    }
    let response =
        request.send().await.map_err(reqwest::Error::without_url).context("asking the registry's token server")?;
    ensure!(response.status().is_success(), "the registry's token server answers {}", response.status());
    let body = bounded(response, MAX_ANSWER_BYTES).await?;
    let given: Given = serde_json::from_slice(&body).ok().context("the token server's answer cannot be read")?;
    Ok(Some(format!("Bearer {}", given.token)))
}
