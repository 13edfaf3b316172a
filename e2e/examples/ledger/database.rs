//! The hubs' database, and how it goes away.

use super::disk::Disk;
use std::time::Duration;
use writ_e2e::postgres::Postgres;

/// PostgreSQL's own files of a start are 40 MiB, and a piece of its log is 16.
const DISK_BYTES: u64 = 400 << 20;

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

pub(crate) enum Database {
    /// In the hub's data folder: it goes with its hub.
    Sqlite,
    /// A server of its own.
    Postgres { url: String, server: Postgres, disk: Option<Disk> },
}

impl Database {
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        if kind == Kind::Sqlite {
            return Ok(Self::Sqlite);
        }
        let disk = Disk::new(DISK_BYTES)?;
        let server = match &disk {
            Some(disk) => Postgres::start_in(disk.folder())?,
            None => Postgres::start()?,
        };
        Ok(Self::Postgres { url: server.database()?, server, disk })
    }

    /// For the hubs' command line.
    pub(crate) fn argument(&self) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }

    /// Its disk, where it has one of its own.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { disk, .. } => disk.as_ref(),
        }
    }

    /// The server is killed and comes back; whether there is one.
    pub(crate) async fn away(&self, pause: Duration) -> anyhow::Result<bool> {
        let Self::Postgres { server, .. } = self else { return Ok(false) };
        server.kill()?;
        tokio::time::sleep(pause).await;
        server.restart()?;
        Ok(true)
    }

    /// A server that cannot write its log ends itself; an orchestrator would start it again.
    pub(crate) fn restart_if_it_fell(&self) -> anyhow::Result<()> {
        let Self::Postgres { server, .. } = self else { return Ok(()) };
        match server.sql("postgres", "SELECT 1") {
            Ok(_) => Ok(()),
            Err(_) => server.kill().and_then(|()| server.restart()),
        }
    }
}
