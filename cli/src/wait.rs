//! `writ wait`: until every cluster proves that it enforces a commit, one refuses it, or the time runs out.

use crate::arguments::Wait;
use crate::check::count;
use crate::client::Hub;
use crate::client::answers::{Cluster, ClusterState, Revision, Status};
use crate::exit::{DONE, FAILED, Outcome, TIMED_OUT};
use crate::terminal;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the hub is asked.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn run(options: Wait) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    let deadline = Instant::now() + options.timeout;
    let mut was_reached = false;
    loop {
        let found = match look(&hub, &options.commit).await {
            Ok(found) => found,
            // A hub that restarts while we wait is waited for; one that was never there is told at once.
            Err(error) if was_reached => Found::Missing(format!("{error:#}")),
            Err(error) => return Err(error),
        };
        was_reached = true;
        match found {
            Found::Enforced(sentence) => return end(DONE, &sentence),
            Found::Refused(sentence) => return end(FAILED, &sentence),
            Found::Missing(what) if Instant::now() >= deadline => {
                let verdict = terminal::yellow("not everywhere");
                return end(TIMED_OUT, &format!("{verdict} in {:?}: {what}", options.timeout));
            }
            Found::Missing(_) => sleep(PAUSE.min(deadline - Instant::now())).await,
        }
    }
}

fn end(code: u8, sentence: &str) -> Outcome {
    terminal::say(sentence)?;
    Ok(code)
}

/// What is known of a commit, as a sentence.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Enforced(String),
    Refused(String),
    Missing(String),
}

async fn look(hub: &Hub, commit: &writ_policy::Revision) -> anyhow::Result<Found> {
    let revision = hub.revision(commit).await?;
    let status = hub.status().await?;
    Ok(judge(commit, revision.as_ref(), &status))
}

/// Pure: what the hub's two answers mean for this commit.
fn judge(commit: &writ_policy::Revision, revision: Option<&Revision>, status: &Status) -> Found {
    let short = commit.short();
    let Some(revision) = revision else {
        return Found::Missing(format!("the hub has not seen commit {short}; is it pushed, to the branch it follows?"));
    };
    if revision.state == "refused" {
        let found: Vec<String> = revision.diagnostics.iter().map(|found| format!("  {found}")).collect();
        return Found::Refused(format!("the hub refused {short}; the fleet keeps what it had:\n{}", found.join("\n")));
    }
    if status.clusters.is_empty() {
        return Found::Missing("no cluster is enrolled".to_owned());
    }
    let waits = |cluster: &&Cluster| !enforces(cluster, commit, revision);
    let missing: Vec<&Cluster> = status.clusters.iter().filter(waits).collect();
    let refusing: Vec<String> = missing.iter().filter_map(|cluster| refusal(cluster, commit)).collect();
    if !refusing.is_empty() {
        return Found::Refused(refusing.join("\n"));
    }
    if missing.is_empty() {
        let clusters = count(status.clusters.len(), "cluster", "clusters");
        return Found::Enforced(format!(
            "{clusters} {} {short}",
            if status.clusters.len() == 1 { "enforces" } else { "enforce" }
        ));
    }
    let missing: Vec<String> =
        missing.iter().map(|cluster| format!("{} is {}", cluster.name, cluster.state.as_str())).collect();
    Found::Missing(missing.join(", "))
}

/// It enforces the commit now, or proved it before a later commit took over.
fn enforces(cluster: &Cluster, commit: &writ_policy::Revision, revision: &Revision) -> bool {
    let now = cluster.active.as_ref().is_some_and(|active| active.revision == commit.as_str());
    let is_fresh = matches!(cluster.state, ClusterState::Enforcing | ClusterState::Pending);
    let before = revision.enforced_by.iter().any(|enforced| enforced.cluster == cluster.name);
    is_fresh && (now || before)
}

fn refusal(cluster: &Cluster, commit: &writ_policy::Revision) -> Option<String> {
    let is_told = cluster.desired.as_ref().is_some_and(|desired| desired.revision == commit.as_str());
    let reason = cluster.refused_reason.as_deref().unwrap_or("no reason given");
    (cluster.state == ClusterState::Refused && is_told)
        .then(|| format!("{} refused {}: {reason}", cluster.name, commit.short()))
}
