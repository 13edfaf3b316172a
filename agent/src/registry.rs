//! Bundles in an OCI registry: one layer that is the bundle file. What is pulled is bounded and has the digest that it was
//! asked for by; whether it is to be believed, its signature says. The cli pushes by the same client.

mod address;
mod login;

pub use address::Address;
pub use login::Login;

use anyhow::{Context, bail, ensure};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::sync::Mutex;
use writ_policy::Digest;
use writ_policy::author::MAX_PACKED_BYTES;

/// The bundle file, gzip.
pub const BUNDLE: &str = "application/vnd.writ.bundle.v1+gzip";
/// An artifact without a configuration of its own.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const MAX_MANIFEST_BYTES: usize = 256 << 10;
const TIMEOUT: Duration = Duration::from_secs(120);

/// A manifest, as far as bundles need it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// One repository of a registry.
#[derive(Debug)]
pub struct Registry {
    client: Client,
    address: Address,
    login: Option<Login>,
    /// What the registry wants to see; asked for when it says so.
    token: Mutex<Option<String>>,
}

impl Registry {
    /// Nothing is contacted yet.
    pub fn new(address: Address, authority: Option<&Path>, login: Option<Login>) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .user_agent(concat!("writ/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(TIMEOUT)
            .no_gzip();
        if let Some(path) = authority {
            let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            let authority = reqwest::Certificate::from_pem_bundle(&pem);
            builder = builder.tls_certs_merge(authority.with_context(|| format!("{} is not PEM", path.display()))?);
        }
        Ok(Self {
            client: builder.build().context("preparing the connection")?,
            address,
            login,
            token: Mutex::default(),
        })
    }

    /// The digest of what the address points to now, and the bundle file, unless that is what is known already.
    pub async fn pull(&self, known: Option<&Digest>) -> anyhow::Result<Option<(Digest, Vec<u8>)>> {
        let url = self.url(&format!("manifests/{}", self.address.reference))?;
        let response = self.send(|client| client.get(url.clone()).header(ACCEPT, MANIFEST)).await?;
        let text = bounded(checked(response, "the manifest").await?, MAX_MANIFEST_BYTES).await?;
        let digest = Digest::of(&text);
        if let Some(expected) = self.address.digest()? {
            ensure!(digest == expected, "the manifest has the digest {digest}, {expected} was asked for");
        }
        if known == Some(&digest) {
            return Ok(None);
        }
        let manifest: Manifest = serde_json::from_slice(&text).context("the manifest cannot be read")?;
        let layer = manifest.layers.iter().find(|layer| layer.media_type == BUNDLE);
        let layer = layer.with_context(|| format!("{} holds no bundle", self.address))?;
        ensure!(
            layer.size <= MAX_PACKED_BYTES as u64,
            "the bundle has {} bytes, more than {MAX_PACKED_BYTES}",
            layer.size
        );
        let expected = sha256(&layer.digest)?;
        let url = self.url(&format!("blobs/{}", layer.digest))?;
        let response = self.send(|client| client.get(url.clone())).await?;
        let content = bounded(checked(response, "the bundle").await?, MAX_PACKED_BYTES).await?;
        ensure!(Digest::of(&content) == expected, "the bundle has another digest than its manifest says");
        Ok(Some((digest, content)))
    }

    /// Puts a bundle file there; the digest of its manifest.
    pub async fn push(&self, bundle: &[u8]) -> anyhow::Result<Digest> {
        self.push_artifact(Some(BUNDLE), &self.address.reference, BUNDLE, bundle, BTreeMap::new()).await
    }

    /// Puts a signature beside what has this digest, where cosign looks for it.
    pub async fn push_cosign(&self, of: &Digest, payload: &[u8], signature: &str) -> anyhow::Result<Digest> {
        let annotations = BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), signature.to_owned())]);
        let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
        self.push_artifact(None, &format!("sha256-{of}.sig"), kind, payload, annotations).await
    }

    async fn push_artifact(
        &self,
        artifact_type: Option<&str>,
        reference: &str,
        kind: &str,
        content: &[u8],
        annotations: BTreeMap<String, String>,
    ) -> anyhow::Result<Digest> {
        let described = |media_type: &str, content: &[u8], annotations| Descriptor {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", Digest::of(content)),
            size: content.len() as u64,
            annotations,
        };
        self.push_blob(b"{}").await?;
        self.push_blob(content).await?;
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            artifact_type: artifact_type.map(str::to_owned),
            config: described(EMPTY, b"{}", BTreeMap::new()),
            layers: vec![described(kind, content, annotations)],
        };
        let text = serde_json::to_vec(&manifest).expect("a manifest has only string keys");
        let url = self.url(&format!("manifests/{reference}"))?;
        let put = |client: &Client| client.put(url.clone()).header(CONTENT_TYPE, MANIFEST).body(text.clone());
        checked(self.send(put).await?, "the manifest").await?;
        Ok(Digest::of(&text))
    }

    async fn push_blob(&self, content: &[u8]) -> anyhow::Result<()> {
        let digest = format!("sha256:{}", Digest::of(content));
        let there = self.url(&format!("blobs/{digest}"))?;
        if self.send(|client| client.head(there.clone())).await?.status().is_success() {
            return Ok(());
        }
        let begin = self.url("blobs/uploads/")?;
        let begun = checked(self.send(|client| client.post(begin.clone())).await?, "an upload").await?;
        let location = begun.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let mut upload =
            location.and_then(|location| begin.join(location).ok()).context("the registry names no upload")?;
        let same_host =
            (upload.host(), upload.port_or_known_default()) == (begin.host(), begin.port_or_known_default());
        ensure!(same_host && upload.scheme() == begin.scheme(), "the registry wants the upload at another host");
        upload.query_pairs_mut().append_pair("digest", &digest);
        let put = |client: &Client| {
            client.put(upload.clone()).header(CONTENT_TYPE, "application/octet-stream").body(content.to_vec())
        };
        checked(self.send(put).await?, "an upload").await.map(drop)
    }

    fn url(&self, rest: &str) -> anyhow::Result<Url> {
        let Address { scheme, host, repository, .. } = &self.address;
        format!("{scheme}://{host}/v2/{repository}/{rest}").parse().context("the registry's address")
    }

    /// Sends it; once more with a token, when the registry asks for one.
    async fn send(&self, request: impl Fn(&Client) -> RequestBuilder) -> anyhow::Result<Response> {
        let shown = self.token.lock().await.clone();
        let response = self.shown(request(&self.client), shown.as_deref()).send().await;
        let response =
            response.map_err(reqwest::Error::without_url).with_context(|| format!("asking {}", self.address.host))?;
        let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let Some(challenge) = challenge.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
            return Ok(response);
        };
        let Some(token) = login::token(&self.client, &self.address, challenge, self.login.as_ref()).await? else {
            return Ok(response);
        };
        *self.token.lock().await = Some(token.clone());
        let again = self.shown(request(&self.client), Some(&token)).send().await;
        again.map_err(reqwest::Error::without_url).with_context(|| format!("asking {}", self.address.host))
    }

    fn shown(&self, request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
        match token {
            Some(token) => request.header("authorization", token),
            None => request,
        }
    }
}

async fn checked(response: Response, what: &str) -> anyhow::Result<Response> {
    let status = response.status();
    match status {
        _ if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            bail!("the registry refuses {what} ({status}): is the login right?")
        }
        StatusCode::NOT_FOUND => bail!("the registry does not have {what}, or hides it (404)"),
        _ => bail!("the registry answers {status} about {what}"),
    }
}

async fn bounded(mut response: Response, most: usize) -> anyhow::Result<Vec<u8>> {
    let mut content = vec![];
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        ensure!(content.len() + chunk.len() <= most, "the registry sent more than {most} bytes");
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

fn sha256(text: &str) -> anyhow::Result<Digest> {
    let hex = text.strip_prefix("sha256:").with_context(|| format!("{text:?} is not a SHA-256 digest"))?;
    hex.parse().ok().with_context(|| format!("{text:?} is not a SHA-256 digest"))
}
