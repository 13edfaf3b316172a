//! A campaign: what is started, what happens to it while it is under load, and what is asked at the end.

mod answers;
mod database;
pub(crate) mod disk;
mod fleet;
mod load;
pub(crate) mod proxy;
mod reckoning;

use anyhow::Context;
use database::{Database, Kind};
use fleet::Fleet;
use load::Load;
use reckoning::Reckoning;
use std::fmt;
use std::time::{Duration, Instant};

/// How long a disk stays full, and the database away.
const TROUBLE: Duration = Duration::from_secs(2);

/// What happens, and how often.
#[derive(Debug, Clone, clap::Parser)]
pub(crate) struct Campaign {
    /// How many times a hub or an agent is killed (SIGKILL).
    #[arg(long, default_value_t = 20)]
    pub(crate) kills: usize,
    /// Between two kills, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) every_ms: u64,
    /// How many agents judge.
    #[arg(long, default_value_t = 3)]
    pub(crate) agents: usize,
    /// Reviews per second of each agent.
    #[arg(long, default_value_t = 40)]
    pub(crate) rate: u64,
    /// Seed of what is random.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the hubs keep rows.
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    pub(crate) database: Kind,
    /// How many hubs there are; several need PostgreSQL.
    #[arg(long, default_value_t = 1)]
    pub(crate) hubs: usize,
    /// After every so many kills the database goes away (PostgreSQL), a hub's disk or the agents' disk is full.
    #[arg(long, default_value_t = 5)]
    pub(crate) trouble_every: usize,
    /// How long what an agent answered may be in its memory alone, in milliseconds: it writes it down 20 ms later, on a
    /// machine that has the time.
    #[arg(long, default_value_t = 250)]
    pub(crate) blink_ms: u64,
}

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Happened {
    hubs: usize,
    agents: usize,
    cuts: usize,
    hub_disks: usize,
    agent_disks: usize,
    databases: usize,
    took: Duration,
}

impl Campaign {
    /// Runs it to its end.
    pub(crate) async fn run(&self) -> anyhow::Result<Reckoning> {
        anyhow::ensure!(self.hubs == 1 || self.database == Kind::Postgres, "several hubs need --database postgres");
        let database = Database::start(self.database)?;
        let mut fleet = Fleet::start(self.agents, self.hubs, database.argument()).await?;
        let mut load = Load::start(&fleet, self.rate, Duration::from_millis(self.blink_ms));
        let outcome = self.reckon(&database, &mut fleet, &mut load).await;
        if outcome.as_ref().map_or(true, |reckoning| reckoning.check().is_err()) {
            fleet.keep_folder();
        }
        outcome
    }

    async fn reckon(&self, database: &Database, fleet: &mut Fleet, load: &mut Load) -> anyhow::Result<Reckoning> {
        load.until_denied().await?;
        let happened = self.harass(database, fleet, load).await?;
        let answers = load.stop().await;
        fleet.until_spools_are_empty().await?;
        Reckoning::of(fleet, answers, happened).await.context("asking what is stored")
    }

    async fn harass(&self, database: &Database, fleet: &mut Fleet, load: &Load) -> anyhow::Result<Happened> {
        let (mut random, started) = (fastrand::Rng::with_seed(self.seed), Instant::now());
        let mut happened = Happened::default();
        for kill in 1..=self.kills {
            tokio::time::sleep(Duration::from_millis(self.every_ms)).await;
            if random.bool() {
                fleet.kill_hub(random.usize(..self.hubs)).await?;
                happened.hubs += 1;
            } else {
                let agent = random.usize(..self.agents);
                load.killed(agent, None);
                fleet.kill_agent(agent)?;
                happened.agents += 1;
            }
            if random.u8(..3) == 0 {
                happened.cuts += fleet.cut(random.usize(..self.agents));
            }
            if kill % self.trouble_every.max(1) == 0 {
                let turn = kill / self.trouble_every.max(1);
                self.trouble(turn, (database, load), fleet, &mut happened).await?;
            }
        }
        happened.took = started.elapsed();
        Ok(happened)
    }

    /// By turns.
    async fn trouble(
        &self,
        turn: usize,
        (database, load): (&Database, &Load),
        fleet: &mut Fleet,
        happened: &mut Happened,
    ) -> anyhow::Result<()> {
        match turn % 3 {
            1 => happened.databases += usize::from(database.away(TROUBLE).await?),
            2 => {
                let disk = database.disk().or(fleet.hub_disk());
                if let Some(disk) = disk {
                    disk.full(TROUBLE).await?;
                    happened.hub_disks += 1;
                }
                database.restart_if_it_fell()?;
            }
            _ => {
                let Some(disk) = fleet.agent_disk() else { return Ok(()) };
                let full_since = Instant::now();
                disk.fill()?;
                happened.agent_disks += 1;
                tokio::time::sleep(TROUBLE).await;
                // One that starts on a full disk judges all the same.
                load.killed(0, Some(full_since));
                fleet.kill_agent(0)?;
                happened.agents += 1;
                load.until_denied_by(0).await?;
                fleet.agent_disk().context("the disk is there")?.free()?;
                load.disk_was_full(full_since);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hubs, agents, cuts, hub_disks, agent_disks, databases, took } = self;
        writeln!(f, "in {:.0} s", took.as_secs_f64())?;
        for (count, what) in [
            (hubs, "a hub was killed"),
            (agents, "an agent was killed"),
            (cuts, "a connection was cut"),
            (databases, "the database was killed and restarted"),
            (hub_disks, "the database's disk was full"),
            (agent_disks, "the agents' disk was full"),
        ] {
            writeln!(f, "  {count:>6} times {what}")?;
        }
        Ok(())
    }
}
