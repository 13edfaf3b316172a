//! The answer to a review that could not be judged, as the failure policy says. Pure.

use crate::config::FailurePolicy;
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// It says who asks, but not all of it can be read: nested too deep, or a part that is missing.
    Unreadable(String),
}

impl Reason {
    /// For the one whose request it is.
    pub(super) fn text(&self) -> Cow<'static, str> {
        let text = match self {
            Reason::Unreadable(why) => return format!("writ-agent cannot read the request: {why}").into(),
            Reason::NoPolicy => "writ-agent has not received its policies yet",
            Reason::Busy => "writ-agent has too many reviews waiting",
            Reason::Slow => "writ-agent could not judge the request in time",
            Reason::Crashed => "writ-agent failed to judge the request",
            Reason::Broken => "writ-agent is restarting",
        };
        text.into()
    }

    fn code(&self) -> u16 {
        match self {
            Reason::Busy => 429,
            Reason::Unreadable(_) => 400,
            _ => 503,
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "apiVersion")]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    request: Asked<'a>,
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Kind<'a>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    group: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

/// The response, or `None` when the bytes are not an AdmissionReview.
pub(super) fn answer(
    review: &[u8],
    reason: &Reason,
    failure_policy: FailurePolicy,
    own_namespace: &str,
) -> Option<Vec<u8>> {
    let envelope: Envelope<'_> = serde_json::from_slice(review).ok()?;
    let text = reason.text();
    let is_lifeline = is_lifeline(&envelope.request, own_namespace);
    let mut response = match failure_policy {
        // What the agent needs to come back must not wait for it.
        FailurePolicy::Fail if is_lifeline => {
            json!({"allowed": true, "warnings": [format!("{text}; not judged, because writ and the control plane must stay usable")]})
        }
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

fn is_lifeline(asked: &Asked<'_>, own_namespace: &str) -> bool {
    let Kind { group, kind } = &asked.kind;
    let kind = if group.is_empty() { kind.to_string() } else { format!("{group}/{kind}") };
    writ_policy::lifeline::is_lifeline(&kind, &asked.namespace, &BTreeSet::from([own_namespace.to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVIEW: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"7"}}"#;

    fn response(failure_policy: FailurePolicy) -> serde_json::Value {
        serde_json::from_slice(&answer(REVIEW, &Reason::NoPolicy, failure_policy, "writ-system").unwrap()).unwrap()
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
        assert!(answer(b"{}", &Reason::Busy, FailurePolicy::Ignore, "").is_none());
    }

    #[test]
    fn lifelines_never_wait_for_the_agent() {
        let allowed = |group: &str, kind: &str, namespace: &str| {
            let kind = json!({"group": group, "version": "v1", "kind": kind});
            let request = json!({"uid": "7", "kind": kind, "namespace": namespace});
            let review = json!({"apiVersion": "admission.k8s.io/v1", "request": request}).to_string();
            let answer = answer(review.as_bytes(), &Reason::NoPolicy, FailurePolicy::Fail, "writ-system").unwrap();
            serde_json::from_slice::<serde_json::Value>(&answer).unwrap()["response"]["allowed"] == true
        };
        assert!(allowed("", "Pod", "writ-system") && allowed("", "Pod", "kube-system"));
        assert!(allowed("coordination.k8s.io", "Lease", "shop"));
        assert!(!allowed("", "Pod", "shop") && !allowed("", "Node", ""));
    }
}
