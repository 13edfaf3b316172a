//! The hub's API as the cli uses it. What cannot be done is told as a sentence that names the hub and the way out.

pub(crate) mod answers;

use crate::arguments;
use answers::{ApiError, Counts, Decided, Ended, Revision, Status, Suspension, Token};
use anyhow::{Context, anyhow};
use reqwest::{Certificate, Client, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::time::Duration;
use url::Url;
use writ_policy::{ClusterName, Labels};

/// A hub, and the right to ask it.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    address: Url,
    client: Client,
    token: Option<Secret>,
}

/// The admin token. Shown as `***`.
#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A token that is to be made.
#[derive(Debug, Serialize)]
pub(crate) struct NewToken<'a> {
    pub(crate) cluster: &'a ClusterName,
    pub(crate) labels: &'a Labels,
    pub(crate) ttl_seconds: u64,
    pub(crate) uses: u32,
    pub(crate) needs_acceptance: bool,
}

impl Hub {
    /// The hub that the command line names.
    pub(crate) fn new(options: &arguments::Hub) -> anyhow::Result<Self> {
        let mut client = Client::builder().timeout(Duration::from_secs(10));
        if let Some(file) = &options.hub_ca {
            let pem = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
            let ca = Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is not PEM", file.display()))?;
            client = client.tls_certs_only(ca);
        }
        let token = match &options.admin_token_file {
            Some(file) => {
                let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
                Some(Secret(text.trim().to_owned()))
            }
            None => None,
        };
        Ok(Self { address: options.hub.clone(), client: client.build()?, token })
    }

    /// A hub that is told something signed, for which nobody signs in.
    pub(crate) fn unauthorized(address: Url, ca: Option<&std::path::Path>) -> anyhow::Result<Self> {
        let (admin_token_file, hub_ca) = (None, ca.map(std::path::Path::to_owned));
        Self::new(&arguments::Hub { hub: address, admin_token_file, hub_ca })
    }

    /// A hub on this machine, as the demo runs it.
    pub(crate) fn local(address: Url) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        Ok(Self { address, client, token: None })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &Url {
        &self.address
    }

    /// What each cluster should and does enforce.
    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        self.read(self.get("/api/v1/status").await?).await
    }

    /// The same, as the hub wrote it.
    pub(crate) async fn status_text(&self) -> anyhow::Result<String> {
        Ok(self.get("/api/v1/status").await?.text().await?)
    }

    /// One commit; `None` when the hub has not seen it.
    pub(crate) async fn revision(&self, revision: &writ_policy::Revision) -> anyhow::Result<Option<Revision>> {
        let response = self.send(self.request("GET", &format!("/api/v1/revisions/{revision}"))).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.read(self.accepted(response).await?).await.map(Some)
    }

    /// Why a failure of the policy does what it does in the cluster and namespace.
    pub(crate) async fn explanation(
        &self,
        policy: &str,
        cluster: &str,
        namespace: &str,
    ) -> anyhow::Result<writ_policy::explain::Explanation> {
        let query = [("policy", policy), ("cluster", cluster), ("namespace", namespace)];
        let response = self.send(self.request("GET", "/api/v1/explain").query(&query)).await?;
        self.read(self.accepted(response).await?).await
    }

    /// Asks for something that is answered by no more than that it will be.
    pub(crate) async fn tell(&self, path: &'static str, wanted: &serde_json::Value) -> anyhow::Result<()> {
        self.accepted(self.send(self.request("POST", path).json(wanted)).await?).await.map(drop)
    }

    /// Suspends refusals.
    pub(crate) async fn open_break_glass(&self, wanted: &serde_json::Value) -> anyhow::Result<Suspension> {
        let response = self.send(self.request("POST", "/api/v1/break-glass").json(wanted)).await?;
        self.read(self.accepted(response).await?).await
    }

    /// Ends that; how many were open.
    pub(crate) async fn end_break_glass(&self, wanted: &serde_json::Value) -> anyhow::Result<u64> {
        let response = self.send(self.request("POST", "/api/v1/break-glass/end").json(wanted)).await?;
        Ok(self.read::<Ended>(self.accepted(response).await?).await?.ended)
    }

    /// What is suspended now.
    pub(crate) async fn open_suspensions(&self) -> anyhow::Result<Vec<Suspension>> {
        self.read(self.get("/api/v1/break-glass?open=true").await?).await
    }

    /// Halts, resumes, skips, hurries, pins or lets go.
    pub(crate) async fn order_rollout(&self, wanted: &serde_json::Value) -> anyhow::Result<()> {
        let response = self.send(self.request("POST", "/api/v1/rollouts/orders").json(wanted)).await?;
        self.accepted(response).await.map(drop)
    }

    /// Totals of what agents reported.
    pub(crate) async fn counts(&self) -> anyhow::Result<Counts> {
        self.read(self.get("/api/v1/counts").await?).await
    }

    /// A token by which an agent enrolls as this cluster.
    pub(crate) async fn create_token(&self, wanted: &NewToken<'_>) -> anyhow::Result<Token> {
        let response = self.send(self.request("POST", "/api/v1/enrollment-tokens").json(wanted)).await?;
        self.read(self.accepted(response).await?).await
    }

    /// Accepts or revokes the agents of a cluster; how many there were.
    pub(crate) async fn decide_enrollment(&self, verb: &str, wanted: &serde_json::Value) -> anyhow::Result<u64> {
        let path = format!("/api/v1/enrollments/{verb}");
        let response = self.send(self.request("POST", &path).json(wanted)).await?;
        Ok(self.read::<Decided>(self.accepted(response).await?).await?.agents)
    }

    /// An answer of the history for these values.
    pub(crate) async fn history<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<T> {
        let response = self.accepted(self.send(self.request("GET", path).query(query)).await?).await?;
        self.read(response).await
    }

    /// The same, as the hub wrote it.
    pub(crate) async fn history_text(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<String> {
        Ok(self.accepted(self.send(self.request("GET", path).query(query)).await?).await?.text().await?)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Response> {
        let response = self.send(self.request("GET", path)).await?;
        self.accepted(response).await
    }

    fn request(&self, method: &'static str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("our own methods are valid");
        let url = format!("{}{path}", self.address.as_str().trim_end_matches('/'));
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(&token.0),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Response> {
        request.send().await.map_err(|error| {
            let advice =
                format!("could not reach the hub at {}; is it running? (--hub URL names another)", self.address);
            anyhow!(root_cause(&error)).context(advice)
        })
    }

    /// The response, if the hub did what was asked; else its own words.
    async fn accepted(&self, response: Response) -> anyhow::Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(anyhow!("the hub at {} wants its admin token: --admin-token-file FILE", self.address));
        }
        let said = response.json::<ApiError>().await.map(|said| said.error);
        let said = said.unwrap_or_else(|_| status.canonical_reason().unwrap_or("no reason given").to_owned());
        Err(anyhow!("the hub at {} answered {}: {said}", self.address, status.as_u16()))
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> anyhow::Result<T> {
        response
            .json()
            .await
            .with_context(|| format!("{} answered, but not as a hub of this version does", self.address))
    }
}

/// What lies at the bottom of a chain of errors, e.g. "Connection refused".
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
