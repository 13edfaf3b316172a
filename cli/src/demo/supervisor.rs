//! Keeps the demo's fleet running: a process that somebody kills to see what happens is started again.

use super::fleet::{Ended, Fleet, Member};
use super::folder::Folder;
use crate::terminal;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Long enough to see that decisions go on without the hub.
const PAUSE: Duration = Duration::from_secs(5);
/// A process that ends this soon after its start does so by itself.
const SHORT_LIFE: Duration = Duration::from_secs(10);
/// How often it may do that.
const TRIES: u32 = 3;

/// Restarts what ends. Returns only when something cannot be kept running.
pub(crate) async fn run(fleet: &mut Fleet, folder: &Folder) -> anyhow::Result<()> {
    let mut starts: HashMap<Member, (Instant, u32)> = HashMap::new();
    loop {
        let Ended { member, name, how } = fleet.first_end().await?;
        let (started, failures) = starts.get(&member).copied().unwrap_or((Instant::now() - 2 * SHORT_LIFE, 0));
        let failures = if started.elapsed() < SHORT_LIFE { failures + 1 } else { 0 };
        if failures >= TRIES {
            return Err(how.context(format!("{name} cannot be kept running")));
        }
        terminal::say(&format!("{how}.\n{} Starting it again in {} s.", meanwhile(member), PAUSE.as_secs()))?;
        sleep(PAUSE).await;
        restart(fleet, folder, member).await?;
        terminal::say(&format!("{name} is back."))?;
        starts.insert(member, (Instant::now(), failures));
    }
}

fn meanwhile(member: Member) -> &'static str {
    match member {
        Member::Hub => "The agents go on deciding with what they have, and keep their reports on disk.",
        Member::Agent(_) => "A real API server would now act by the webhook's failure policy.",
    }
}

async fn restart(fleet: &mut Fleet, folder: &Folder, member: Member) -> anyhow::Result<()> {
    match member {
        Member::Hub => {
            fleet.hub_process = None;
            fleet.restart_hub(folder).await
        }
        Member::Agent(index) => {
            fleet.agents[index].process = None;
            fleet.restart_agent(folder, index).await
        }
    }
}
