//! `GET /api/v1/trends`: what was judged, failed and was denied over time, of the fleet, a cluster, a namespace, a policy,
//! or a policy in one of them; with the revisions that were served in that time.

use super::Query;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::sums::{DAY, HOUR, MINUTE};
use crate::store::{MAX_BUCKETS, MINUTE_MS, Trend};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

/// Revisions that are told.
const MAX_REVISIONS: i64 = 500;
/// Up to this many minutes are told by minutes, up to this many hours by hours, when nothing else is asked for.
const BY_MINUTES: i64 = 6 * HOUR;
const BY_HOURS: i64 = 14 * DAY;

/// Which trend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    cluster: Option<String>,
    namespace: Option<String>,
    policy: Option<String>,
    /// Unix milliseconds; a day ago when absent.
    from: Option<i64>,
    /// Unix milliseconds; now when absent.
    until: Option<i64>,
    /// `minute`, `hour` or `day`; what fits the span of time when absent.
    resolution: Option<String>,
}

/// A trend.
#[derive(Serialize)]
pub struct Answer {
    /// What is counted: `reviews` or `evaluations`.
    counts: &'static str,
    resolution: &'static str,
    from: i64,
    until: i64,
    /// Buckets in which something was judged.
    buckets: Vec<Bucket>,
    revisions: Vec<Marker>,
}

/// One bucket of time.
#[derive(Serialize)]
struct Bucket {
    at: i64,
    judged: i64,
    failing: i64,
    denied: i64,
}

/// When a revision became what the hub serves.
#[derive(Serialize)]
pub(super) struct Marker {
    pub(super) revision: String,
    pub(super) author: String,
    pub(super) title: String,
    pub(super) at: i64,
}

/// Tells a trend.
pub async fn show(_: Viewer, State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Json<Answer>, Failure> {
    let until = wanted.until.unwrap_or_else(|| app.now());
    let from = wanted.from.unwrap_or(until - DAY * MINUTE_MS);
    if from < 0 || until <= from {
        return Err(Error::Invalid("from is before until, both in Unix milliseconds".into()).into());
    }
    let (first, end) = (from.div_euclid(MINUTE_MS), until.div_euclid(MINUTE_MS) + 1);
    let (resolution, span) = span(wanted.resolution.as_deref(), end - first)?;
    if (end - first) / span > MAX_BUCKETS {
        let text =
            format!("this would be more than {MAX_BUCKETS} buckets; ask for a shorter time or a coarser resolution");
        return Err(Error::Invalid(text).into());
    }
    let (trend, counts) = wanted.trend()?;
    let (buckets, revisions) = tokio::try_join!(
        app.store.trend(trend, span, first, end),
        app.store.revisions_served(from, until, MAX_REVISIONS)
    )?;
    let buckets = buckets.into_iter().map(|bucket| Bucket {
        at: bucket.minute * MINUTE_MS,
        judged: bucket.judged,
        failing: bucket.failing,
        denied: bucket.denied,
    });
    let revisions = revisions.iter().map(Marker::from).collect();
    Ok(Json(Answer { counts, resolution, from, until, buckets: buckets.collect(), revisions }))
}

impl Wanted {
    fn trend(&self) -> Result<(Trend<'_>, &'static str), Error> {
        Ok(match (self.policy.as_deref(), self.namespace.as_deref(), self.cluster.as_deref()) {
            (None, None, None) => (Trend::Fleet, "reviews"),
            (None, None, Some(cluster)) => (Trend::Cluster(cluster), "reviews"),
            (None, Some(namespace), None) => (Trend::Namespace(namespace), "reviews"),
            (Some(policy), None, None) => (Trend::Policy(policy), "evaluations"),
            (Some(policy), None, Some(cluster)) => (Trend::PolicyInCluster(policy, cluster), "evaluations"),
            (Some(policy), Some(namespace), None) => (Trend::PolicyInNamespace(policy, namespace), "evaluations"),
            (_, Some(_), Some(_)) => {
                return Err(Error::Invalid("ask for a namespace or a cluster, not both".into()));
            }
        })
    }
}

fn span(word: Option<&str>, minutes: i64) -> Result<(&'static str, i64), Error> {
    match word {
        Some("minute") => Ok(("minute", MINUTE)),
        Some("hour") => Ok(("hour", HOUR)),
        Some("day") => Ok(("day", DAY)),
        Some(_) => Err(Error::Invalid("resolution is minute, hour or day".into())),
        None if minutes <= BY_MINUTES + 1 => Ok(("minute", MINUTE)),
        None if minutes <= BY_HOURS + 1 => Ok(("hour", HOUR)),
        None => Ok(("day", DAY)),
    }
}

impl From<&crate::store::RevisionLine> for Marker {
    fn from(line: &crate::store::RevisionLine) -> Self {
        Self {
            revision: line.revision.clone(),
            author: line.author.clone(),
            title: line.title().to_owned(),
            at: line.at,
        }
    }
}
