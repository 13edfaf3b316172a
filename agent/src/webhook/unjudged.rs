//! The answer to a review that could not be judged, as the failure policy says. Pure.

use crate::config::FailurePolicy;
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nothing was ever received from the hub.
    NoPolicy,
    /// Too many reviews wait.
    Busy,
    /// The API server would have given up.
    Slow,
    /// The evaluation of this very review failed.
    Crashed,
    /// The worker died.
    Broken,
}

impl Reason {
    /// For the one whose request it is.
    pub(super) fn text(self) -> &'static str {
        match self {
            Reason::NoPolicy => "writ-agent has not received its policies yet",
            Reason::Busy => "writ-agent has too many reviews waiting",
            Reason::Slow => "writ-agent could not judge the request in time",
            Reason::Crashed => "writ-agent failed to judge the request",
            Reason::Broken => "writ-agent is restarting",
        }
    }

    fn code(self) -> u16 {
        if self == Reason::Busy { 429 } else { 503 }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "apiVersion")]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    request: Uid<'a>,
}

#[derive(Deserialize)]
struct Uid<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
}

/// The response, or `None` when the bytes are not an AdmissionReview.
pub(super) fn answer(review: &[u8], reason: Reason, failure_policy: FailurePolicy) -> Option<Vec<u8>> {
    let envelope: Envelope<'_> = serde_json::from_slice(review).ok()?;
    let text = reason.text();
    let mut response = match failure_policy {
        FailurePolicy::Fail => {
            let message = format!("{text}; refused, because the failure policy is Fail");
            json!({"allowed": false, "status": {"code": reason.code(), "message": message}})
        }
        FailurePolicy::Ignore => {
            json!({"allowed": true, "warnings": [format!("{text}; not judged, because the failure policy is Ignore")]})
        }
    };
    response["uid"] = envelope.request.uid.into();
    let review = json!({"apiVersion": envelope.api_version, "kind": "AdmissionReview", "response": response});
    Some(review.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVIEW: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"7"}}"#;

    fn response(failure_policy: FailurePolicy) -> serde_json::Value {
        serde_json::from_slice(&answer(REVIEW, Reason::NoPolicy, failure_policy).unwrap()).unwrap()
    }

    #[test]
    fn failure_policy_decides_and_is_named() {
        let refused = response(FailurePolicy::Fail);
        assert_eq!(refused["response"]["allowed"], false);
        assert_eq!(refused["response"]["uid"], "7");
        assert!(refused["response"]["status"]["message"].as_str().unwrap().contains("failure policy is Fail"));
        let allowed = response(FailurePolicy::Ignore);
        assert_eq!(allowed["response"]["allowed"], true);
        assert!(allowed["response"]["warnings"][0].as_str().unwrap().contains("Ignore"));
    }

    #[test]
    fn bytes_that_are_no_review_have_no_answer() {
        assert!(answer(b"{}", Reason::Busy, FailurePolicy::Ignore).is_none());
    }
}
