//! The hub's agent API from the agent's side: requests, bounds on answers, and which failures are worth a retry.

use anyhow::Context;
use reqwest::{Client, Response, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;
use std::time::Duration;
use url::Url;
use writ_policy::Digest;
use writ_policy::wire::{self, Credential, Desired, DesiredRequest, Enroll, Enrolled, HubKeys, Receipt};

/// The largest JSON answer that is read.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// The longest that the agent stays away because the hub asks for it.
const MAX_LATER: Duration = Duration::from_secs(300);

/// Why the hub gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The token or credential is unknown or revoked.
    #[error("the hub does not accept the agent's credential: {0}")]
    Unauthorized(String),
    /// The hub understood and refuses; sending the same again is useless.
    #[error("the hub refused the request ({status}): {reason}")]
    Refused {
        /// 4xx.
        status: StatusCode,
        /// The hub's own words.
        reason: String,
    },
    /// Too much at a time: the same may be sent again, not before this.
    #[error("the hub asks to come back in {} s: {reason}", after.as_secs())]
    Later {
        /// As the hub says, within [`MAX_LATER`].
        after: Duration,
        /// The hub's own words.
        reason: String,
    },
    /// Not reachable, or not well: worth a retry.
    #[error("the hub cannot be reached")]
    Away(#[source] anyhow::Error),
    /// The answer is not what the protocol says.
    #[error("the hub's answer cannot be used")]
    Answer(#[source] anyhow::Error),
}

/// A connection to the hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    client: Client,
    base: Url,
}

impl Hub {
    /// Nothing is contacted yet.
    pub fn new(base: &Url, authority: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .user_agent(concat!("writ-agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(2)
            .tcp_nodelay(true);
        if let Some(path) = authority {
            let pem = std::fs::read(path).with_context(|| format!("reading the hub's authority {}", path.display()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("{} holds no certificate", path.display()))?;
            builder = builder.tls_certs_only(certificates);
        } else if base.scheme() == "http" {
            // The system's authorities are not loaded where nothing would be checked against them.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build().context("preparing the connection to the hub")?, base: base.clone() })
    }

    /// Turns the one-time token into an identity.
    pub async fn enroll(&self, enroll: &Enroll) -> Result<Enrolled, HubError> {
        let response = self.post(wire::ENROLL, None, enroll, Duration::from_secs(15)).await?;
        decode(response).await
    }

    /// Asks for a credential in place of this one.
    pub async fn renew(&self, credential: &str) -> Result<Credential, HubError> {
        let nothing = serde_json::json!({});
        decode(self.post(wire::CREDENTIAL, Some(credential), &nothing, Duration::from_secs(15)).await?).await
    }

    /// Asks how the hub came to its present key. Nothing, where a hub is older than the question.
    pub async fn keys(&self, credential: &str) -> Result<HubKeys, HubError> {
        let request = self.client.get(self.url(wire::KEYS)).bearer_auth(credential).timeout(Duration::from_secs(15));
        match checked(request.send().await).await {
            Err(HubError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(HubKeys::default()),
            answer => decode(answer?).await,
        }
    }

    /// Asks what to enforce. The hub holds the request; `None` when nothing changed meanwhile.
    pub async fn desired(&self, credential: &str, request: &DesiredRequest) -> Result<Option<Desired>, HubError> {
        let patience = Duration::from_millis(wire::HOLD_MS + 15_000);
        let response = self.post(wire::DESIRED, Some(credential), request, patience).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        decode(response).await.map(Some)
    }

    /// Fetches one blob. The content is what the digest says, and never longer than `most` bytes.
    pub async fn blob(&self, credential: &str, digest: &Digest, most: usize) -> Result<Vec<u8>, HubError> {
        let url = self.url(&format!("{}/{digest}", wire::BLOBS));
        let request = self.client.get(url).bearer_auth(credential).timeout(Duration::from_secs(60));
        let response = checked(request.send().await).await?;
        let content = bounded(response, most).await?;
        let actual = Digest::of(&content);
        if actual != *digest {
            return Err(HubError::Answer(anyhow::anyhow!("blob {digest} has the digest {actual}")));
        }
        Ok(content)
    }

    /// Sends one report, already as JSON.
    pub async fn report(&self, credential: &str, report: Vec<u8>) -> Result<Receipt, HubError> {
        let request = self.client.post(self.url(wire::REPORTS)).bearer_auth(credential);
        let request = request.header("content-type", "application/json").body(report);
        decode(checked(request.timeout(Duration::from_secs(30)).send().await).await?).await
    }

    async fn post(
        &self,
        path: &str,
        credential: Option<&str>,
        body: &impl Serialize,
        patience: Duration,
    ) -> Result<Response, HubError> {
        let mut request = self.client.post(self.url(path)).json(body).timeout(patience);
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        checked(request.send().await).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

/// The response when it says success, else what the failure means.
async fn checked(sent: reqwest::Result<Response>) -> Result<Response, HubError> {
    let response = sent.map_err(|error| HubError::Away(error.without_url().into()))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let after = retry_after(&response);
    let reason = reason(response).await;
    Err(match (status, after) {
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(after)) => {
            HubError::Later { after, reason }
        }
        (status, _) => failed(status, reason),
    })
}

fn failed(status: StatusCode, reason: String) -> HubError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => HubError::Unauthorized(reason),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => HubError::Away(anyhow::anyhow!(reason)),
        status if status.is_client_error() => HubError::Refused { status, reason },
        status => HubError::Away(anyhow::anyhow!("{status}: {reason}")),
    }
}

/// `Retry-After` in seconds, bounded; a date is not understood.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_LATER))
}

/// The hub's own words on a failure, short and printable.
async fn reason(response: Response) -> String {
    #[derive(serde::Deserialize)]
    struct Failure {
        error: String,
    }
    let status = response.status();
    let Ok(body) = bounded(response, 4 << 10).await else { return status.to_string() };
    let text = serde_json::from_slice::<Failure>(&body).map(|failure| failure.error);
    let text = text.unwrap_or_else(|_| status.to_string());
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

async fn decode<T: DeserializeOwned>(response: Response) -> Result<T, HubError> {
    let body = bounded(response, MAX_ANSWER_BYTES).await?;
    serde_json::from_slice(&body).map_err(|error| HubError::Answer(error.into()))
}

/// Reads at most `most` bytes, counted after decompression.
async fn bounded(mut response: Response, most: usize) -> Result<Vec<u8>, HubError> {
    let mut content = vec![];
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if content.len() + chunk.len() > most => {
                return Err(HubError::Answer(anyhow::anyhow!("it is longer than {most} bytes")));
            }
            Ok(Some(chunk)) => content.extend_from_slice(&chunk),
            Ok(None) => return Ok(content),
            Err(error) => return Err(HubError::Away(error.without_url().into())),
        }
    }
}
