//! `writ-hub rotate-key`: the hub's key announces the next one and gives way to it. Agents follow by themselves with the
//! first word that the new key signs; nobody enrolls anew.

use crate::clock::Clock;
use crate::config::read_secret;
use crate::keep::{self, Keep};
use crate::keys::{HUB_KEY, announce};
use crate::store::{Database, Store};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use writ_policy::sign::{PublicKey, Signed, SigningKey};
use writ_policy::succession::{MAX_CHAIN, Succession};

/// The word that begins this command.
pub const ROTATE_KEY: &str = "rotate-key";

/// Replaces the hub's signing key by a new one that the present one announces: agents follow it by themselves. Stop the
/// hub before, start it afterwards; agents go on enforcing meanwhile. Run again, it goes on where it was cut short.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "writ-hub rotate-key")]
pub struct RotateKey {
    /// Folder of the hub's data.
    #[arg(long, env = "WRIT_DATA", default_value = "./writ-hub", value_name = "DIR")]
    pub data: PathBuf,
    /// The database, as the hub has it; `hub.db` in the data folder when absent.
    #[arg(long, env = "WRIT_DATABASE", value_name = "URL")]
    pub database: Option<Database>,
    /// A file with the password for the database.
    #[arg(long, env = "WRIT_DATABASE_PASSWORD_FILE", value_name = "FILE", requires = "database")]
    pub database_password_file: Option<PathBuf>,
    /// The present key, where it is not `hub.key` in the data folder. It is left as it is: give every hub the new one.
    #[arg(long, env = "WRIT_SIGNING_KEY_FILE", value_name = "FILE", requires = "new_key_file")]
    pub signing_key_file: Option<PathBuf>,
    /// The file that gets the new key, or has it already; with --signing-key-file.
    #[arg(long, value_name = "FILE", requires = "signing_key_file")]
    pub new_key_file: Option<PathBuf>,
}

/// From which key to which, by their fingerprints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key that announced.
    pub from: String,
    /// The key that signs from now on.
    pub to: String,
}

/// Rotates.
pub async fn rotate(arguments: &RotateKey, now: i64) -> anyhow::Result<Rotated> {
    // Hubs that are given their key have no data folder that must be at rest.
    let keep = match arguments.signing_key_file {
        None => Some(Keep::open(&arguments.data).context("stop the hub before its key is replaced")?),
        Some(_) => None,
    };
    let (present, next) = files(arguments);
    let from = keep::read_key(&present)?;
    let store = Store::open(&database(arguments)?).await.context("opening the database")?;
    let to = if next.exists() { keep::read_key(&next)? } else { keep::make_key(&next)? };
    let rotated = Rotated { from: from.public().fingerprint(), to: to.public().fingerprint() };
    record(&store, &from, &to.public(), now).await?;
    store.close().await;
    if keep.is_some() {
        keep::put_in_place(&next, &present)?;
    }
    Ok(rotated)
}

/// Where the present key is, and the next one until it is in its place.
fn files(arguments: &RotateKey) -> (PathBuf, PathBuf) {
    let own = arguments.data.join(Keep::KEY);
    let beside = own.with_extension("key.next");
    let given = |file: &Option<PathBuf>, own: PathBuf| file.clone().unwrap_or(own);
    (given(&arguments.signing_key_file, own), given(&arguments.new_key_file, beside))
}

fn database(arguments: &RotateKey) -> anyhow::Result<Database> {
    let own = || {
        let file = arguments.data.join(Keep::DATABASE);
        ensure!(file.is_file(), "there is no hub's database in {}", arguments.data.display());
        Ok(Database::Sqlite(file))
    };
    let database = arguments.database.clone().map_or_else(own, Ok)?;
    match &arguments.database_password_file {
        Some(file) => database.with_password(&read_secret(file)?),
        None => Ok(database),
    }
}

/// Records that the present key announces the next one, once.
async fn record(store: &Store, from: &SigningKey, to: &PublicKey, now: i64) -> anyhow::Result<()> {
    let known = store.successions().await.context("reading how the hub came to its key")?;
    let own = from.public().fingerprint();
    ensure!(&from.public() != to, "the new key is the present one");
    if let Some(announced) = known.iter().find(|signed| signed.key == own) {
        return same(announced, to);
    }
    let present = store.setting(HUB_KEY).await.context("reading which key the hubs have")?;
    ensure!(present.is_none_or(|present| present == own), "the key {own} is not the one with which this hub signs");
    ensure!(known.len() < MAX_CHAIN, "the key was rotated {MAX_CHAIN} times: no agent would follow further");
    let mut tx = store.begin().await?;
    tx.add_succession(known.len(), &announce(from, to, now)).await.context("recording the announcement")?;
    tx.save_setting(HUB_KEY, &to.fingerprint()).await?;
    tx.commit().await.context("recording the announcement")
}

/// A rotation that was cut short goes on to the key that was announced, and to no other.
fn same(announced: &Signed, to: &PublicKey) -> anyhow::Result<()> {
    let succession: Succession = serde_json::from_str(&announced.payload).context("reading the announcement")?;
    let (wanted, given) = (succession.to.fingerprint(), to.fingerprint());
    ensure!(succession.to == *to, "the present key has announced {wanted} already, and this new one is {given}");
    Ok(())
}

/// Runs the command when the arguments begin with its word.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Option<anyhow::Result<()>> {
    let program = arguments.next()?;
    let word = arguments.next()?;
    let rest = std::iter::once(program).chain(arguments);
    (word == ROTATE_KEY).then(|| run_rotate(&clap::Parser::parse_from(rest)))
}

fn run_rotate(arguments: &RotateKey) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Rotated { from, to } = runtime.block_on(rotate(arguments, Clock::default().now()))?;
    say(&format!("the key {from} announced {to}: agents follow it by themselves"), arguments.new_key_file.as_deref());
    Ok(())
}

#[expect(clippy::print_stderr, reason = "for the person at the terminal")]
fn say(text: &str, file: Option<&Path>) {
    eprintln!("{text}");
    match file {
        Some(file) => eprintln!("Give every hub {} (--signing-key-file) and start them again.", file.display()),
        None => eprintln!("Start the hub again, and take a backup: an older one knows nothing of the new key."),
    }
}
