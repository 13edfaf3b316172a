//! `writ wait`: until every cluster proves that it enforces a commit, one refuses it, or the time runs out.

use crate::arguments::Wait;
use crate::check::count;
use crate::client::Hub;
use crate::client::answers::{Cluster, ClusterState, Revision, RolloutState, Status};
use crate::exit::{DONE, FAILED, Outcome, TIMED_OUT};
use crate::status::short;
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
        let found = match look(&hub, &options.commit, &options.clusters).await {
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

async fn look(hub: &Hub, commit: &writ_policy::Revision, labels: &[(String, String)]) -> anyhow::Result<Found> {
    let revision = hub.revision(commit).await?;
    let mut status = hub.status().await?;
    status.clusters.retain(|cluster| labels.iter().all(|(key, value)| cluster.labels.get(key) == Some(value)));
    if status.clusters.is_empty() && !labels.is_empty() {
        return Ok(Found::Missing("no cluster has these labels".to_owned()));
    }
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
    if let Some(halted) = status.rollout.as_ref().filter(|rollout| rollout.revision == commit.as_str()).and_then(halted)
    {
        return Found::Refused(halted);
    }
    let missing: Vec<String> =
        missing.iter().map(|cluster| format!("{} is {}", cluster.name, waits_for(cluster, commit))).collect();
    Found::Missing(missing.join(", "))
}

/// Why it is waited for: its state, or that its wave has not come.
fn waits_for(cluster: &Cluster, commit: &writ_policy::Revision) -> &'static str {
    let is_told = cluster.desired.as_ref().is_some_and(|desired| desired.revision == commit.as_str());
    match cluster.state {
        ClusterState::Enforcing if !is_told => "not told yet",
        state => state.as_str(),
    }
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

fn halted(rollout: &RolloutState) -> Option<String> {
    let reason = rollout.halted.as_deref().unwrap_or("no reason given");
    let halted = format!("the rollout of {} halted in wave {}: {reason}", short(&rollout.revision), rollout.wave);
    (rollout.phase == "halted").then_some(halted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(change: impl Fn(&mut serde_json::Value)) -> Found {
        let commit = writ_policy::Revision::new("a".repeat(40)).unwrap();
        let mut status = json!({
            "clusters": [
                { "name": "canary", "state": "enforcing", "active": { "revision": "a".repeat(40), "epoch": 2, "active_at": 0 } },
                { "name": "prod", "state": "enforcing", "active": { "revision": "b".repeat(40), "epoch": 1, "active_at": 0 } },
            ],
            "rollout": { "revision": "a".repeat(40), "phase": "rolling", "wave": "canary", "halted": null },
        });
        change(&mut status);
        let revision = json!({ "state": "served", "diagnostics": [], "enforced_by": [] });
        let revision: Revision = serde_json::from_value(revision).unwrap();
        judge(&commit, Some(&revision), &serde_json::from_value(status).unwrap())
    }

    #[test]
    fn clusters_whose_wave_has_not_come_are_waited_for() {
        assert_eq!(judged(|_| {}), Found::Missing("prod is not told yet".into()));
    }

    #[test]
    fn halted_rollout_ends_the_wait_with_its_reason() {
        let halt = |status: &mut serde_json::Value| {
            status["rollout"]["phase"] = "halted".into();
            status["rollout"]["halted"] = "`p` denies 9 of 9".into();
        };
        let told = "the rollout of aaaaaaaaaa halted in wave canary: `p` denies 9 of 9";
        assert_eq!(judged(halt), Found::Refused(told.into()));
        let of_another = |status: &mut serde_json::Value| {
            halt(status);
            status["rollout"]["revision"] = "c".repeat(40).into();
        };
        assert!(matches!(judged(of_another), Found::Missing(_)));
        let canary_only = |status: &mut serde_json::Value| {
            halt(status);
            status["clusters"].as_array_mut().unwrap().truncate(1);
        };
        assert!(matches!(judged(canary_only), Found::Enforced(_)), "who is asked for has it");
    }
}
