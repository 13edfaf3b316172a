//! Logs in as a GitHub App. A statement signed by the app's private key is traded for a token of its installation,
//! which is the password for git until shortly before it ends. Tokens are kept in memory and nowhere else.

use anyhow::{Context, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use reqwest::{Client, Method, Response, StatusCode};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, de::DeserializeOwned};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// The user name that goes with a token.
pub(crate) const USERNAME: &str = "x-access-token";
/// How long before its end a token is replaced, in seconds: a fetch may take minutes.
const MARGIN: i64 = 5 * 60;
/// GitHub takes statements that live for ten minutes at most; clocks differ by up to a minute.
const ISSUED_BEFORE: i64 = 60;
const EXPIRES_AFTER: i64 = 9 * 60;
const MAX_KEY_BYTES: u64 = 64 << 10;
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// An app and its newest token.
pub struct GitHubApp {
    id: String,
    installation: Option<u64>,
    key_file: PathBuf,
    api: Url,
    token: Mutex<Option<Token>>,
}

#[derive(Clone, Deserialize)]
struct Token {
    token: String,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

impl GitHubApp {
    /// The app with this id, whose private key is in the file. Nothing is read or contacted yet.
    pub fn new(id: &str, installation: Option<u64>, key_file: &Path, api: Url) -> Arc<Self> {
        let (id, key_file) = (id.to_owned(), key_file.to_owned());
        Arc::new(Self { id, installation, key_file, api, token: Mutex::default() })
    }

    /// A token that may read this repository and is valid for a while.
    pub(crate) async fn token(&self, client: &Client, repository: &Url) -> anyhow::Result<String> {
        let now = Timestamp::now();
        if let Some(known) = self.known().filter(|known| known.expires_at.as_second() > now.as_second() + MARGIN) {
            return Ok(known.token);
        }
        ensure!(crate::http::may_carry_secrets(&self.api), "GitHub's API is not asked over plain http: use https");
        let statement = self.statement(now.as_second())?;
        let installation = match self.installation {
            Some(installation) => installation,
            None => {
                let path = format!("repos/{}/installation", full_name(repository)?);
                self.ask::<Installation>(client, Method::GET, &path, &statement).await?.id
            }
        };
        let path = format!("app/installations/{installation}/access_tokens");
        let token: Token = self.ask(client, Method::POST, &path, &statement).await?;
        ensure!(!token.token.is_empty(), "GitHub answered with an empty token");
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token.token)
    }

    /// The token was refused: the next one is a new one.
    pub(crate) fn forget(&self) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn known(&self) -> Option<Token> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        statement: &str,
    ) -> anyhow::Result<T> {
        let url = format!("{}/{path}", self.api.as_str().trim_end_matches('/'));
        let request =
            client.request(method, url).bearer_auth(statement).header("accept", "application/vnd.github+json");
        let response = request.send().await.map_err(reqwest::Error::without_url).context("asking GitHub's API")?;
        let status = response.status();
        let body = bounded(response).await.context("reading from GitHub's API")?;
        if !status.is_success() {
            bail!("GitHub's API answers {status} to `{path}`{}", reason(status, &body));
        }
        // The parser's own message may repeat the text, and with it a token.
        serde_json::from_slice(&body).ok().with_context(|| format!("GitHub's answer to `{path}` cannot be read"))
    }

    /// A JSON Web Token that says who asks.
    fn statement(&self, now: i64) -> anyhow::Result<String> {
        let key = self.key().with_context(|| format!("reading {}", self.key_file.display()))?;
        let claims = serde_json::json!({"iat": now - ISSUED_BEFORE, "exp": now + EXPIRES_AFTER, "iss": self.id});
        let encoded = |text: &str| BASE64.encode(text);
        let message = format!("{}.{}", encoded(r#"{"alg":"RS256","typ":"JWT"}"#), encoded(&claims.to_string()));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .ok()
            .context("signing with the app's key")?;
        Ok(format!("{message}.{}", BASE64.encode(signature)))
    }

    fn key(&self) -> anyhow::Result<RsaKeyPair> {
        ensure!(std::fs::metadata(&self.key_file)?.len() <= MAX_KEY_BYTES, "it is too long for a private key");
        let pem = std::fs::read(&self.key_file)?;
        let key = match PrivateKeyDer::from_pem_slice(&pem).ok().context("it holds no private key in PEM")? {
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => bail!("it is not an RSA key"),
        };
        key.ok().context("it is not an RSA key")
    }
}

/// `owner/name` of a repository's address.
fn full_name(repository: &Url) -> anyhow::Result<String> {
    let path = repository.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    ensure!(path.split('/').count() == 2, "the source is not `https://HOST/OWNER/NAME`: name the app's installation");
    Ok(path.to_owned())
}

/// GitHub's own words.
fn reason(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let said = serde_json::from_slice::<Said>(body).map(|said| said.message).unwrap_or_default();
    let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
    let help = match status {
        StatusCode::UNAUTHORIZED => " (are the app's id and key right, and the clock?)",
        StatusCode::NOT_FOUND => " (is the app installed there?)",
        _ => "",
    };
    if said.is_empty() { help.to_owned() } else { format!(": {said}{help}") }
}

async fn bounded(mut response: Response) -> anyhow::Result<Vec<u8>> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        ensure!(body.len() + chunk.len() <= MAX_ANSWER_BYTES, "the answer is too long");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl fmt::Debug for GitHubApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubApp").field("id", &self.id).field("key_file", &self.key_file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_is_known_by_owner_and_name() {
        let name = |url: &str| full_name(&url.parse().expect("a URL"));
        assert_eq!(name("https://github.com/acme/policies.git").expect("a name"), "acme/policies");
        assert!(name("https://github.com/policies").is_err());
        assert!(name("https://github.com/a/b/c").is_err());
    }
}
