//! `GET /api/v1/explain`: why a failure of a policy does what it does in one cluster and namespace: every word of the
//! served revision about it, and the one that won.

use super::Query;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use writ_policy::explain::{Explanation, Question, explain};

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Code or name.
    policy: String,
    cluster: String,
    /// Nothing for what is in no namespace.
    #[serde(default)]
    namespace: String,
}

/// The answer.
#[derive(Serialize)]
pub struct Explained {
    revision: String,
    cluster: String,
    namespace: String,
    /// What the hub cannot know.
    note: &'static str,
    #[serde(flatten)]
    explanation: Explanation,
}

const NOTE: &str = "labels and annotations of the Namespace are known to the cluster only: a team's stricter deny level, \
    or break glass opened there, can decide otherwise";

/// Explains one policy in one cluster and namespace.
pub async fn show(_: Viewer, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Explained>, Failure> {
    let Asked { policy: word, cluster, namespace } = asked;
    let short = |text: &str| text.chars().take(80).collect::<String>();
    let labels = app.store.labels(&cluster).await?;
    let labels = labels.ok_or_else(|| Error::Absent(format!("cluster {:?}", short(&cluster))))?;
    let served = app.store.explainable(&word).await?;
    let served = served.ok_or_else(|| Error::Absent(format!("served policy {:?}", short(&word))))?;
    let Some(policy) = &served.policy else {
        let why = "the served revision was checked by an earlier version of the hub, which did not keep what explaining \
            needs; the next commit will have it, and `writ explain` in the repository has it now";
        return Err(Error::Invalid(why.into()).into());
    };
    let explanation = explain(&Question {
        policy,
        fleet: &served.fleet,
        fleet_file: served.fleet_file.as_ref(),
        labels: &labels,
        namespace: &namespace,
        namespace_object: None,
        now: app.now(),
    });
    Ok(Json(Explained { revision: served.revision, cluster, namespace, note: NOTE, explanation }))
}
