//! The hub's command line and environment. Each field is flag, variable, default and one line of reference.
//! Secrets come as files; nothing else in the hub reads the environment.

mod further;
mod source;

pub use source::{RequireSignatures, SourceConfig};

use crate::keep::Keep;
use crate::retention::Keeping;
use crate::store::Database;
use anyhow::{Context, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Follows a policy repository, serves signed bundles to agents, stores and shows what they report.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "writ-hub",
    version,
    after_help = "writ-hub backup --help, writ-hub restore --help: the database as a file\n\
                  writ-hub migrate --help: from SQLite to PostgreSQL\n\
                  writ-hub rotate-key --help: a new signing key, which agents follow"
)]
pub struct Config {
    /// Folder of the database, the signing key and the mirror of the repository.
    #[arg(long, env = "WRIT_DATA", default_value = "./writ-hub", value_name = "DIR")]
    pub data: PathBuf,
    /// The database: `sqlite:FILE`, or `postgres://USER@HOST/NAME` with options such as `?sslmode=verify-full` and
    /// `sslrootcert=FILE`; `hub.db` in the data folder when absent.
    #[arg(long, env = "WRIT_DATABASE", value_name = "URL")]
    pub database: Option<Database>,
    /// A file with the password for the database.
    #[arg(long, env = "WRIT_DATABASE_PASSWORD_FILE", value_name = "FILE", requires = "database")]
    pub database_password_file: Option<PathBuf>,
    /// The signing key that hubs on one database share, as `hub.key` of the first one has it; that file in the data
    /// folder when absent.
    #[arg(long, env = "WRIT_SIGNING_KEY_FILE", value_name = "FILE")]
    pub signing_key_file: Option<PathBuf>,
    /// Accepts a signing key that is not the one the database knows and that it did not announce (`writ-hub rotate-key`).
    /// Every agent must enroll anew.
    #[arg(long)]
    pub new_signing_key: bool,
    /// What is followed.
    #[command(flatten)]
    pub source: SourceConfig,
    /// Where the hub listens. On another address than loopback, pages and API ask for the admin token.
    #[arg(long, env = "WRIT_LISTEN", default_value = "127.0.0.1:8420")]
    pub listen: SocketAddr,
    /// A file that receives the address (`http://127.0.0.1:8420`) once the hub listens.
    #[arg(long, env = "WRIT_LISTEN_FILE", value_name = "FILE")]
    pub listen_file: Option<PathBuf>,
    /// Certificate chain in PEM; with it the hub serves https.
    #[arg(long, env = "WRIT_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key in PEM.
    #[arg(long, env = "WRIT_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A file with the admin token, at least 20 characters. Without it one is made at the first start and shown once.
    #[arg(long, env = "WRIT_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// How long a credential of an agent is good; it asks for the next one when a third of that is over.
    #[arg(long, env = "WRIT_CREDENTIAL_TTL", default_value = "90d", value_parser = days, value_name = "DURATION")]
    pub credential_ttl: Duration,
    /// Has every agent that enrolls wait until somebody accepts it, whatever its token says.
    #[arg(long, env = "WRIT_ACCEPT_AGENTS")]
    pub accept_agents: bool,
    /// How many rows one agent may report in a minute before it is told to come later; 0 for any number.
    #[arg(long, env = "WRIT_ROWS_PER_MINUTE", default_value = "300000", value_name = "ROWS")]
    pub rows_per_minute: u64,
    /// How many violations of one cluster are kept, fixed ones included; more are counted, and shown as such.
    #[arg(long, env = "WRIT_MAX_VIOLATIONS", default_value = "200000", value_name = "VIOLATIONS")]
    pub max_violations: u64,
    /// How long what agents report is kept.
    #[command(flatten)]
    pub keeping: Keeping,
    /// How long a request of an agent is held while there is nothing new.
    #[arg(long, env = "WRIT_HOLD", default_value = "30s", value_parser = duration, hide = true)]
    pub hold: Duration,
    /// Checks policies in this process instead of a limited child process. For tests only.
    #[arg(long, hide = true)]
    pub check_in_process: bool,
    /// How log lines are written.
    #[arg(long, env = "WRIT_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: a level, or levels by module (`info,writ_hub=debug`).
    #[arg(long, env = "WRIT_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Config {
    /// Checks what one field alone cannot know.
    pub fn validate(&self) -> anyhow::Result<()> {
        self.source.validate()?;
        self.keeping.validate()?;
        ensure!(self.credential_ttl >= Duration::from_secs(60), "--credential-ttl is below a minute");
        ensure!(self.hold <= Duration::from_secs(60), "--hold is above 60s");
        Ok(())
    }
}

impl Config {
    /// The database with its password.
    pub fn database(&self, keep: &Keep) -> anyhow::Result<Database> {
        let database = self.database.clone().unwrap_or_else(|| Database::Sqlite(keep.database()));
        match &self.database_password_file {
            Some(file) => database.with_password(&read_secret(file)?),
            None => Ok(database),
        }
    }
}

/// The secret in a file, without the line end; the error names the file, never the content.
pub fn read_secret(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']).to_owned();
    ensure!(!secret.is_empty(), "{} is empty", path.display());
    Ok(secret)
}

/// Where programs are looked for, for those that this one runs.
pub(crate) fn search_path() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}

/// A duration that may also be so many days: `30d`.
pub(crate) fn days(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok()) {
        Some(days) => Ok(Duration::from_secs(u64::from(days) * 24 * 60 * 60)),
        None => duration(text).map_err(|_| format!("{text:?} is not a duration such as 30d or 12h")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is not a duration such as 30s or 5m"))?;
    span.try_into().map_err(|_| format!("{text:?} is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn config(arguments: &[&str]) -> Config {
        Config::parse_from(["writ-hub", "--source", "/srv/policies"].iter().chain(arguments))
    }

    #[test]
    fn odd_folders_and_branches_are_refused_at_start() {
        assert!(config(&[]).validate().is_ok());
        assert!(config(&["--path", "policies/", "--branch", "release/1"]).validate().is_ok());
        for arguments in [["--path", "../x"], ["--path", "/etc"], ["--branch", "a/.x"], ["--tag", "a b"]] {
            assert!(config(&arguments).validate().is_err(), "{arguments:?}");
        }
        let signed = ["--require-signatures", "head"];
        assert!(config(&signed).validate().is_err(), "nobody could sign");
        assert!(config(&[&signed[..], &["--allowed-signers", "f"]].concat()).validate().is_ok());
    }

    #[test]
    fn manifest_sets_flags_that_exist() {
        let replicas = include_str!("../../deploy/hub-replicas.yaml");
        for manifest in [include_str!("../../deploy/hub.yaml"), replicas] {
            let lines = manifest.lines().map(str::trim);
            let mut flags: Vec<&str> = lines.filter_map(|line| line.strip_prefix("- --").and(line.get(2..))).collect();
            assert!(flags.len() > 5, "{flags:?}");
            if manifest == replicas {
                flags.push("--database=postgres://writ@db.example/writ");
            }
            config(&flags).validate().unwrap();
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(config(&["--keep-raw", "2d"]).keeping.keep_raw, Duration::from_secs(2 * 24 * 60 * 60));
        assert!(config(&["--keep-rollups", "2d"]).validate().is_err(), "shorter than the raw rows");
        assert_eq!(config(&["--poll", "5m"]).source.poll, Duration::from_secs(300));
        assert!(Config::try_parse_from(["writ-hub", "--source", "x", "--poll", "soon"]).is_err());
    }
}
