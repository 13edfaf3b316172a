//! An agent's webhook as an API server calls it: TLS with the agent's own authority, one AdmissionReview, one answer.

use super::cluster::Listening;
use anyhow::Context;
use reqwest::{Certificate, Client};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;
use url::Url;

/// One cluster's webhook.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) listening: Listening,
    url: Url,
    client: Client,
}

/// What the API server would act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    /// What the developer reads when it is denied.
    pub(crate) message: String,
    /// Codes of the policies that objected, each once.
    pub(crate) codes: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Body {
    response: Response,
}

#[derive(Deserialize)]
struct Response {
    allowed: bool,
    #[serde(default, rename = "auditAnnotations")]
    annotations: Annotations,
    #[serde(default)]
    status: Status,
}

/// Every policy that objected, also those of which nobody is told again.
#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(default)]
    policies: String,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
}

impl Webhook {
    pub(crate) fn new(listening: &Listening) -> anyhow::Result<Self> {
        let ca = &listening.ca;
        let pem = fs::read(ca).with_context(|| format!("could not read {}", ca.display()))?;
        let ca = Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is not PEM", ca.display()))?;
        let client = Client::builder().tls_certs_only(ca).no_proxy().timeout(Duration::from_secs(10)).build()?;
        let url = listening.webhook.join("/validate?timeout=10s")?;
        Ok(Self { listening: listening.clone(), url, client })
    }

    /// Sends one AdmissionReview.
    pub(crate) async fn review(&self, review: &serde_json::Value) -> anyhow::Result<Answer> {
        let response = self.client.post(self.url.clone()).json(review).send().await?.error_for_status()?;
        let body: Body = response.json().await.context("the webhook's answer is not an AdmissionReview")?;
        Ok(body.response.into())
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let codes =
            response.annotations.policies.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect();
        Self { allowed: response.allowed, message: response.status.message, codes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_objecting_policy_counts_once_for_a_review() {
        let body = serde_json::json!({"response": {"uid": "1", "allowed": false, "status": {"message": "no"},
            "auditAnnotations": {"policies": "MT1001,MT2001,MT1001", "revision": "abc"}, "warnings": ["a"]}});
        let body: Body = serde_json::from_value(body).unwrap();
        let answer: Answer = body.response.into();
        assert_eq!(answer.codes, BTreeSet::from(["MT1001".to_owned(), "MT2001".to_owned()]));
        assert!(!answer.allowed);
    }
}
