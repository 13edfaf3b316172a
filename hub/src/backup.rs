//! `writ-hub backup` and `writ-hub restore`: the embedded database as one file, taken while the hub runs, and put back
//! while it does not. The signing key is a file of its own, written only when it is asked for.

use crate::keep::Keep;
use crate::store::backup::{self, Inspected};
use anyhow::{Context, bail, ensure};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The words that begin these commands.
pub const BACKUP: &str = "backup";
/// See [`BACKUP`].
pub const RESTORE: &str = "restore";
/// Beside the database, all that belongs to it.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Copies the hub's database to a file, while the hub runs. PostgreSQL is backed up by its own tools.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "writ-hub backup")]
pub struct Backup {
    /// The file to write; it must not be there yet.
    pub file: PathBuf,
    /// Folder of the hub's data.
    #[arg(long, env = "WRIT_DATA", default_value = "./writ-hub", value_name = "DIR")]
    pub data: PathBuf,
    /// Also copy the signing key to this file. Who has it can tell every cluster what to enforce.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// Puts a backup in the place of the hub's database. The hub must not run. What was there is set aside, not deleted.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "writ-hub restore")]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// Folder of the hub's data; made when it is not there.
    #[arg(long, env = "WRIT_DATA", default_value = "./writ-hub", value_name = "DIR")]
    pub data: PathBuf,
    /// The signing key that was backed up, where the folder has none. Without it every agent must enroll anew.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Restore also when the database that is there knows of later things than the backup.
    #[arg(long)]
    pub discard_newer: bool,
}

/// Writes the backup, whole or not at all.
pub async fn backup(arguments: &Backup) -> anyhow::Result<Inspected> {
    let Backup { file, data, key_file } = arguments;
    let database = data.join(Keep::DATABASE);
    ensure!(database.is_file(), "there is no hub's database in {}", data.display());
    for target in [Some(file), key_file.as_ref()].into_iter().flatten() {
        ensure!(!target.exists(), "{} is there already", target.display());
    }
    let unfinished = beside(file, ".unfinished");
    remove_if_there(&unfinished)?;
    // It holds the hashes of credentials, and what people wrote into messages.
    new_file(&unfinished)?;
    let copied = async {
        backup::copy(&database, &unfinished).await?;
        let inspected = backup::inspect(&unfinished).await.context("the copy is not whole")?;
        File::open(&unfinished)?.sync_all()?;
        rename(&unfinished, file)?;
        anyhow::Ok(inspected)
    };
    let inspected = match copied.await {
        Ok(inspected) => inspected,
        Err(error) => {
            remove_if_there(&unfinished)?;
            return Err(error);
        }
    };
    if let Some(key_file) = key_file {
        copy_new(&data.join(Keep::KEY), key_file)?;
    }
    Ok(inspected)
}

/// Puts the backup into place; nothing is changed unless all of it can be.
pub async fn restore(arguments: &Restore) -> anyhow::Result<Inspected> {
    let Restore { file, data, key_file, discard_newer } = arguments;
    let inspected = backup::inspect(file).await?;
    let keep = Keep::open(data).context("stop the hub before its database is replaced")?;
    let (database, key) = (data.join(Keep::DATABASE), data.join(Keep::KEY));
    if database.exists() && !discard_newer {
        let there = backup::inspect(&database).await.context(
            "the database that is there cannot be compared with the backup; --discard-newer sets it aside all the same",
        )?;
        if there.newest_at > inspected.newest_at {
            bail!(
                "the database in {} knows of later things ({}) than the backup ({}); --discard-newer sets it aside",
                data.display(),
                moment(there.newest_at),
                moment(inspected.newest_at)
            );
        }
    }
    check_key(key_file.as_deref(), &key)?;
    let fresh = beside(&database, ".restored");
    remove_if_there(&fresh)?;
    copy_new(file, &fresh)?;
    set_aside(&database)?;
    rename(&fresh, &database)?;
    if let Some(from) = key_file
        && !key.exists()
    {
        copy_new(from, &key)?;
    }
    drop(keep);
    Ok(inspected)
}

/// A folder's own key is never replaced: agents trust exactly one.
fn check_key(given: Option<&Path>, key: &Path) -> anyhow::Result<()> {
    let Some(given) = given else { return Ok(()) };
    let wanted = std::fs::read(given).with_context(|| format!("reading {}", given.display()))?;
    let is_key = writ_policy::sign::SigningKey::from_pkcs8(&wanted);
    is_key.with_context(|| format!("{} is not a hub's key", given.display()))?;
    match std::fs::read(key) {
        Ok(there) => ensure!(there == wanted, "{} is another key than {}", key.display(), given.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("reading {}", key.display())),
    }
    Ok(())
}

/// The database and its companions get a name that the hub does not look for.
fn set_aside(database: &Path) -> anyhow::Result<()> {
    let mut number = 1;
    while PARTS.iter().any(|part| beside(database, &format!(".before-restore-{number}{part}")).exists()) {
        number += 1;
    }
    for part in PARTS {
        let from = beside(database, part);
        if from.exists() {
            rename(&from, &beside(database, &format!(".before-restore-{number}{part}")))?;
        }
    }
    Ok(())
}

fn copy_new(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut source = File::open(from).with_context(|| format!("reading {}", from.display()))?;
    let mut target = new_file(to)?;
    std::io::copy(&mut source, &mut target).with_context(|| format!("writing {}", to.display()))?;
    target.flush().and_then(|()| target.sync_all()).with_context(|| format!("writing {}", to.display()))
}

/// For its owner alone.
fn new_file(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("making {}", path.display()))
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::rename(from, to).with_context(|| format!("renaming {} to {}", from.display(), to.display()))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("writing {}", folder.display()))
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// Runs a command of this file when the arguments begin with its word.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Option<anyhow::Result<()>> {
    let program = arguments.next()?;
    let word = arguments.next()?;
    let rest = || std::iter::once(program.clone()).chain(arguments);
    match word.as_str() {
        BACKUP => Some(run_backup(clap::Parser::parse_from(rest()))),
        RESTORE => Some(run_restore(clap::Parser::parse_from(rest()))),
        _ => None,
    }
}

fn run_backup(arguments: Backup) -> anyhow::Result<()> {
    let Inspected { newest_at, clusters } = blocking(backup(&arguments))?;
    say(&format!("{} holds {clusters} clusters, up to {}", arguments.file.display(), moment(newest_at)));
    if arguments.key_file.is_none() {
        say("The signing key is not in it; --key-file FILE copies it too.");
    }
    Ok(())
}

fn run_restore(arguments: Restore) -> anyhow::Result<()> {
    let Inspected { newest_at, clusters } = blocking(restore(&arguments))?;
    say(&format!("restored {clusters} clusters, up to {}", moment(newest_at)));
    if !arguments.data.join(Keep::KEY).exists() {
        say("There is no signing key: the hub makes a new one when it starts, and every agent must enroll anew.");
    }
    Ok(())
}

fn blocking<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

#[expect(clippy::print_stderr, reason = "for the person at the terminal")]
fn say(text: &str) {
    eprintln!("{text}");
}
