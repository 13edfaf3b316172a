//! `writ rollout`: how far what is served is, wave by wave, and the orders that stop it or go on.

use crate::arguments::{Rollout as Options, RolloutOrder, RolloutPin, RolloutShow, StatusFormat};
use crate::client::Hub;
use crate::client::answers::{Rollout, Rollouts};
use crate::exit::{DONE, Outcome};
use crate::status::{ago, short};
use crate::terminal;
use jiff::Timestamp;
use serde_json::json;

const PATH: &str = "/api/v1/rollouts";
/// What happened that is shown.
const EVENTS: usize = 12;

pub(crate) async fn run(options: Options) -> Outcome {
    match options {
        Options::Show(options) => show(options).await,
        Options::Halt(order) => give(order, "halt", None).await,
        Options::Resume(order) => give(order, "resume", None).await,
        Options::Skip(order) => give(order, "skip", None).await,
        Options::Urgent(order) => give(order, "urgent", None).await,
        Options::Pin(RolloutPin { cluster, revision, order }) => give(order, "pin", Some((cluster, revision))).await,
        Options::Unpin(RolloutPin { cluster, order, .. }) => give(order, "unpin", Some((cluster, None))).await,
    }
}

async fn show(options: RolloutShow) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    match options.format {
        StatusFormat::Json => terminal::say(hub.history_text(PATH, &[]).await?.trim_end())?,
        StatusFormat::Human => terminal::say(&render(&hub.history(PATH, &[]).await?, Timestamp::now()))?,
    }
    Ok(DONE)
}

async fn give(
    order: RolloutOrder,
    kind: &str,
    of: Option<(writ_policy::ClusterName, Option<writ_policy::Revision>)>,
) -> Outcome {
    let hub = Hub::new(&order.hub)?;
    let (cluster, revision) = of.unzip();
    let wanted = json!({
        "kind": kind, "cluster": cluster, "revision": revision.flatten(), "reason": order.reason, "by": order.by,
    });
    hub.order_rollout(&wanted).await?;
    terminal::say(&format!("Ordered: {kind}. The hub that leads obeys within moments; `writ rollout show` tells."))?;
    Ok(DONE)
}

fn render(answer: &Rollouts, now: Timestamp) -> String {
    let Some(newest) = answer.rollouts.first() else { return "Nothing was rolled out yet.".into() };
    let mut lines = vec![headline(newest, now)];
    for wave in &newest.waves {
        let here = if wave.name == newest.wave && newest.phase != "done" { " <- now" } else { "" };
        lines.push(format!(
            "  {:12} {} of {} enforce it, {} told, {} refused, {} offline{here}",
            wave.name, wave.enforcing, wave.clusters, wave.told, wave.refused, wave.offline
        ));
    }
    lines.extend(newest.halted.iter().map(|reason| format!("{}: {reason}", terminal::red("halted"))));
    let pins = answer.pins.iter();
    lines.extend(
        pins.map(|pin| {
            format!("{} stays at {}: {} ({})", pin.cluster, short(&pin.revision), pin.reason, pin.ordered_by)
        }),
    );
    for event in newest.events.iter().take(EVENTS) {
        let by = if event.ordered_by.is_empty() { String::new() } else { format!(", by {}", event.ordered_by) };
        lines.push(format!("  {:>9}  {:10} {:12} {}{by}", ago(event.at, now), event.kind, event.wave, event.reason));
    }
    lines.join("\n")
}

fn headline(rollout: &Rollout, now: Timestamp) -> String {
    let urgent = if rollout.urgent { ", urgent" } else { "" };
    let phase = match rollout.phase.as_str() {
        "halted" => terminal::red(&rollout.phase),
        "done" => terminal::green(&rollout.phase),
        _ => terminal::yellow(&rollout.phase),
    };
    format!(
        "{} is {phase}{urgent}, in wave {}; it began {}",
        short(&rollout.revision),
        rollout.wave,
        ago(rollout.began_at, now)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halted_rollout_is_told_with_its_waves_and_its_reason() {
        let wave = |name: &str, enforcing: u32| json!({ "name": name, "soak_ms": 0, "clusters": 2, "told": enforcing, "enforcing": enforcing, "refused": 0, "offline": 1 });
        let answer: Rollouts = serde_json::from_value(json!({
            "rollouts": [{
                "revision": "a".repeat(40), "phase": "halted", "wave": "canary", "urgent": false, "began_at": 0,
                "halted": "`deny_all` denies 9 of 9", "waves": [wave("canary", 1), wave("rest", 0)],
                "events": [{ "at": 5_000, "kind": "halted", "wave": "canary", "reason": "`deny_all` denies 9 of 9", "ordered_by": "" }],
            }],
            "pins": [{ "cluster": "old", "revision": "b".repeat(40), "reason": "frozen", "ordered_by": "ada" }],
        }))
        .unwrap();
        insta::assert_snapshot!(render(&answer, Timestamp::from_millisecond(10_000).unwrap()), @r"
        aaaaaaaaaa is halted, in wave canary; it began 10s ago
          canary       1 of 2 enforce it, 1 told, 0 refused, 1 offline <- now
          rest         0 of 2 enforce it, 0 told, 0 refused, 1 offline
        halted: `deny_all` denies 9 of 9
        old stays at bbbbbbbbbb: frozen (ada)
             5s ago  halted     canary       `deny_all` denies 9 of 9
        ");
    }
}
