//! `writ break-glass`: suspends refusals of a cluster, or of one namespace of it, for a time; ends that; lists what is open.

use crate::arguments::BreakGlass;
use crate::client::Hub;
use crate::client::answers::Suspension;
use crate::exit::{DONE, FAILED, Outcome};
use crate::terminal;
use serde_json::json;

pub(crate) async fn run(options: BreakGlass) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    let BreakGlass { cluster, namespace, reason, .. } = &options;
    let Some(cluster) = cluster else { return list(&hub).await };
    let place = namespace.as_ref().map_or_else(|| format!("all of {cluster}"), |name| format!("{name} in {cluster}"));
    let by = &options.by;
    if options.end {
        let ended = hub.end_break_glass(&json!({"cluster": cluster, "namespace": namespace, "by": by})).await?;
        if ended == 0 {
            terminal::say(&format!("Nothing was open for {place} that the hub could end."))?;
            return Ok(FAILED);
        }
        terminal::say(&format!("Ended for {place}: policies refuse again as soon as the cluster hears of it."))?;
        return Ok(DONE);
    }
    let seconds = options.duration.map_or(0, |time| time.as_secs().max(1));
    let wanted =
        json!({"cluster": cluster, "namespace": namespace, "for_seconds": seconds, "reason": reason, "by": by});
    let opened = hub.open_break_glass(&wanted).await?;
    terminal::say(&format!("{} break glass for {place} until {}", terminal::red("open:"), time(opened.until_at)))?;
    terminal::say("What would be refused goes through with a warning, and is recorded. It ends by itself.")?;
    Ok(DONE)
}

async fn list(hub: &Hub) -> Outcome {
    let open = hub.open_suspensions().await?;
    if open.is_empty() {
        terminal::say("Break glass is open nowhere.")?;
    }
    for suspension in &open {
        terminal::say(&told(suspension))?;
    }
    Ok(DONE)
}

/// One line about what is open.
pub(crate) fn told(suspension: &Suspension) -> String {
    let Suspension { cluster, namespace, until_at, reason, opened_by, .. } = suspension;
    let place = if namespace.is_empty() { format!("all of {cluster}") } else { format!("{namespace} in {cluster}") };
    let by = if opened_by.is_empty() { String::new() } else { format!(" by {opened_by}") };
    let reason = if reason.is_empty() { "no reason given" } else { reason };
    format!("break glass is open for {place} until {}{by}: {reason}", time(*until_at))
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
