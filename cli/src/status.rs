//! `writ status`: what each cluster should enforce, what it does enforce, and since when.

use crate::arguments::{Status as Options, StatusFormat};
use crate::check::count;
use crate::client::Hub;
use crate::client::answers::{Cluster, ClusterState, RolloutState, SourceStatus, Status};
use crate::exit::{DONE, Outcome};
use crate::{break_glass, terminal};
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use jiff::Timestamp;
use writ_policy::wire::LoadError;

pub(crate) async fn run(options: Options) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    match options.format {
        StatusFormat::Json => terminal::say(hub.status_text().await?.trim_end())?,
        StatusFormat::Human => terminal::say(&render(&hub.status().await?, Timestamp::now()))?,
    }
    Ok(DONE)
}

fn render(status: &Status, now: Timestamp) -> String {
    let mut lines = vec![headline(status)];
    lines.extend(status.sources.iter().skip(1).map(source));
    if status.clusters.is_empty() {
        lines.push("No cluster is enrolled yet; `writ token create --cluster NAME` makes a token for one.".into());
        return lines.join("\n");
    }
    lines.push(table(status, now).to_string());
    lines.extend(status.rollout.iter().filter_map(rollout));
    let refused = status.clusters.iter().filter_map(|cluster| Some((&cluster.name, cluster.refused_reason.as_ref()?)));
    lines.extend(refused.map(|(name, reason)| format!("{name} refused what it was told: {reason}")));
    lines.extend(status.clusters.iter().flat_map(impaired));
    lines.extend(status.break_glass.iter().map(break_glass::told));
    lines.join("\n")
}

/// A line about a rollout that is not done.
fn rollout(rollout: &RolloutState) -> Option<String> {
    let RolloutState { revision, phase, wave, halted } = rollout;
    let told = match halted {
        Some(reason) => format!("{} is halted in wave {wave}: {reason} (writ rollout --help)", short(revision)),
        None => {
            format!("{} is on its way, in wave {wave}: the clusters of later waves were not told yet", short(revision))
        }
    };
    (phase != "done").then_some(told)
}

/// A line for each thing that keeps policies of a cluster from judging in full.
fn impaired(cluster: &Cluster) -> Vec<String> {
    let tell =
        |error: &LoadError| format!("{} does not judge in full: {}: {}", cluster.name, error.path, error.message);
    cluster.load_errors.iter().map(tell).collect()
}

fn headline(status: &Status) -> String {
    let enforcing = status.clusters.iter().filter(|cluster| cluster.state == ClusterState::Enforcing).count();
    let clusters = count(status.clusters.len(), "cluster", "clusters");
    let served = status.served.as_deref().map_or("nothing", short);
    // Of several sources, what is served is not always the first one's newest.
    let own = status.sources.first().map_or(&status.served, |first| &first.served);
    let refused = match (&status.head, own) {
        (Some(head), Some(served)) if head != served => {
            format!(" (the newest commit, {}, was refused: `writ check` says why)", short(head))
        }
        _ => String::new(),
    };
    format!("{enforcing} of {clusters} enforce what they should; {} serves {served}{refused}", status.source)
}

/// A line about a source beside the first.
fn source(source: &SourceStatus) -> String {
    let SourceStatus { name, source, head, served, error, held } = source;
    let serves = format!("{name}: {source} serves {}", served.as_deref().map_or("nothing", short));
    match (error, held, head) {
        (Some(error), _, _) => format!("{serves} (it cannot be looked at: {error})"),
        (None, Some(held), _) => format!("{serves} (the newest commit is not followed: {held})"),
        (None, None, Some(head)) if Some(head) != served.as_ref() => {
            format!("{serves} (the newest commit, {}, was refused: see /revisions)", short(head))
        }
        _ => serves,
    }
}

fn table(status: &Status, now: Timestamp) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["CLUSTER", "LABELS", "STATE", "DESIRED", "ACTIVE", "SINCE", "SEEN"]);
    for cluster in &status.clusters {
        table.add_row(row(cluster, now));
    }
    table
}

fn row(cluster: &Cluster, now: Timestamp) -> Vec<Cell> {
    let labels: Vec<String> = cluster.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let desired = cluster.desired.as_ref().map(|desired| epoch(&desired.revision, desired.epoch));
    let active = cluster.active.as_ref().map(|active| epoch(&active.revision, active.epoch));
    let since = cluster.active.as_ref().map(|active| ago(active.active_at, now));
    let seen = cluster.seen_at.map(|seen_at| ago(seen_at, now));
    let or_dash = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".into()));
    vec![
        Cell::new(&cluster.name),
        Cell::new(labels.join(" ")),
        state(cluster.state),
        or_dash(desired),
        or_dash(active),
        or_dash(since),
        or_dash(seen),
    ]
}

/// comfy-table paints only where a terminal looks.
fn state(state: ClusterState) -> Cell {
    Cell::new(state.as_str()).fg(match state {
        ClusterState::Enforcing => Color::Green,
        ClusterState::Refused => Color::Red,
        ClusterState::Pending | ClusterState::Offline | ClusterState::Never => Color::Yellow,
    })
}

fn epoch(revision: &str, epoch: u64) -> String {
    format!("{} #{epoch}", short(revision))
}

/// The first ten digits of a commit id, for people.
pub(crate) fn short(revision: &str) -> &str {
    revision.get(..10).unwrap_or(revision)
}

/// `12s ago`, `5m ago`, `3h ago`, `4d ago`.
pub(crate) fn ago(at: i64, now: Timestamp) -> String {
    let seconds = (now.as_millisecond() - at).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..172_800 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_tells_the_state_of_each_cluster() {
        let (first, second) = ("a".repeat(40), "b".repeat(40));
        let status = serde_json::json!({
            "source": "/srv/policies", "head": second, "served": first,
            "clusters": [
                {"name": "prod", "labels": {"env": "prod"}, "state": "enforcing", "seen_at": 95_000,
                 "desired": {"revision": first, "epoch": 4},
                 "active": {"revision": first, "epoch": 4, "active_at": 10_000},
                 "load_errors": [{"path": "policies/slow.rego", "message": "put aside until 10:05"}]},
                {"name": "dev", "labels": {}, "state": "refused", "seen_at": 99_000,
                 "desired": {"revision": first, "epoch": 2}, "active": null, "refused_reason": "epoch 1 is older"},
            ]
        });
        let status: Status = serde_json::from_value(status).unwrap();
        let text = render(&status, Timestamp::from_millisecond(100_000).unwrap());
        let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(trimmed.join("\n"), @r"
        1 of 2 clusters enforce what they should; /srv/policies serves aaaaaaaaaa (the newest commit, bbbbbbbbbb, was refused: `writ check` says why)
         CLUSTER  LABELS    STATE      DESIRED        ACTIVE         SINCE   SEEN
         prod     env=prod  enforcing  aaaaaaaaaa #4  aaaaaaaaaa #4  1m ago  5s ago
         dev                refused    aaaaaaaaaa #2  -              -       1s ago
        dev refused what it was told: epoch 1 is older
        prod does not judge in full: policies/slow.rego: put aside until 10:05
        ");
    }

    #[test]
    fn ages_are_rounded_down_to_one_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |seconds: i64| ago((1_000_000 - seconds) * 1000, now);
        assert_eq!(
            [at(0), at(59), at(61), at(7_200), at(200_000)],
            ["0s ago", "59s ago", "1m ago", "2h ago", "2d ago"]
        );
    }
}
