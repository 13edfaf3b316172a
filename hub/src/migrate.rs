//! `writ-hub migrate`: moves everything from SQLite to PostgreSQL while the hub runs. Days that are over are copied
//! first; then the source is closed for good and the rest is copied. Agents keep what they report meanwhile.

use crate::config::read_secret;
use crate::store::Database;
use crate::store::moving::{Source, Table, Tally, Target};
use anyhow::{Context, bail, ensure};
use std::path::PathBuf;
use std::time::Instant;

/// The word that begins this command.
pub const MIGRATE: &str = "migrate";

/// Moves everything from the embedded database to PostgreSQL. The hub may run: it serves pages all the while, and agents
/// keep their reports from when the source is closed until a hub runs on the target. Run again, it goes on where it was.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "writ-hub migrate")]
pub struct Migrate {
    /// The database to leave: `sqlite:FILE`.
    #[arg(long, value_name = "URL")]
    pub from: Database,
    /// The empty database to go to: `postgres://USER@HOST/NAME`.
    #[arg(long, value_name = "URL")]
    pub to: Database,
    /// A file with the password for the database to go to.
    #[arg(long, env = "WRIT_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    pub database_password_file: Option<PathBuf>,
    /// Copy the days that are over and stop: the hub goes on as before, and what remains later takes less time.
    #[arg(long, conflicts_with = "give_up")]
    pub prepare: bool,
    /// Go back: open the source again and remove what was copied. Only while the move has not ended.
    #[arg(long)]
    pub give_up: bool,
}

/// What is told while it goes on.
pub type Say<'a> = &'a mut dyn FnMut(String);

/// Moves, or goes back; says what it does.
pub async fn migrate(arguments: &Migrate, now: i64, say: Say<'_>) -> anyhow::Result<()> {
    let Migrate { from, to, database_password_file, .. } = arguments;
    let Database::Sqlite(file) = from else { bail!("--from is a database of SQLite: sqlite:FILE") };
    let to = match database_password_file {
        Some(file) => to.clone().with_password(&read_secret(file)?)?,
        None => to.clone(),
    };
    let Database::Postgres(server) = &to else { bail!("--to is a database of PostgreSQL: postgres://USER@HOST/NAME") };
    let mut source = Source::open(file).await.context("opening the source")?;
    let is_moved = source.moved_to().await?.is_some() && Target::is_moved_from(server, &source).await?;
    if arguments.give_up {
        ensure!(!is_moved, "everything is in {server}: stop its hubs and restore a backup to go back");
        Target::give_up(server, &source).await.context("removing what was copied")?;
        source.reopen().await.context("opening the source again")?;
        say(format!("{} can be written again, and {server} is empty", source.name()));
        return Ok(());
    }
    if is_moved {
        say(format!("everything is in {server} already"));
        return Ok(());
    }
    let target = Target::open(server, &source).await?;
    let started = Instant::now();
    copy_days(&mut source, &target, now, Which::Over, say).await?;
    if arguments.prepare {
        say(format!("prepared in {} s; run it again without --prepare to move", started.elapsed().as_secs()));
        return Ok(());
    }
    close_and_copy(&mut source, &target, now, say).await?;
    say(format!("moved in {} s. Start hubs with --database and the same hub.key", started.elapsed().as_secs()));
    Ok(())
}

async fn close_and_copy(source: &mut Source, target: &Target, now: i64, say: Say<'_>) -> anyhow::Result<()> {
    let closed = Instant::now();
    source.close(target.name()).await.context("closing the source")?;
    say(format!("{} is closed: agents keep their reports until a hub runs on the target", source.name()));
    copy_days(source, target, now, Which::All, say).await?;
    target
        .copy_rest(source, &mut |table, tally| say(format!("{}: {} rows, as in the source", table.name, tally.count)))
        .await?;
    say(format!("the rest took {} s", closed.elapsed().as_secs()));
    Ok(())
}

/// Which days are copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those in which hardly anything is written any more.
    Over,
    /// All, of a source that is closed.
    All,
}

/// Those that are not, or not as the source has them, in the target.
async fn copy_days(source: &mut Source, target: &Target, now: i64, which: Which, say: Say<'_>) -> anyhow::Result<()> {
    let today = now.div_euclid(24 * 60 * 60 * 1_000);
    for table in source.tables.clone().iter().filter(|table| table.is_by_day()) {
        let wanted = source.days(table).await.with_context(|| format!("reading {}", table.name))?;
        let copied = target.days(table).await?;
        let days: Vec<i64> = wanted.iter().map(|(day, _)| *day).collect();
        target.make_partitions(table, &days, now).await.context("making partitions")?;
        let gone = copied.keys().filter(|day| !days.contains(day)).map(|day| (*day, Tally::default()));
        for (day, tally) in wanted.into_iter().chain(gone) {
            let is_wanted = which == Which::All || day < today;
            if is_wanted && copied.get(&day) != Some(&tally) {
                copy_day(source, target, table, day, say).await?;
            }
        }
    }
    Ok(())
}

async fn copy_day(source: &mut Source, target: &Target, table: &Table, day: i64, say: Say<'_>) -> anyhow::Result<()> {
    let started = Instant::now();
    let name = &table.name;
    let copied = target.copy_day(source, table, day).await.with_context(|| format!("copying a day of {name}"))?;
    let date = jiff::Timestamp::from_second(day.saturating_mul(86_400))
        .map_or_else(|_| day.to_string(), |at| at.strftime("%Y-%m-%d").to_string());
    let per_second = copied.count as f64 / started.elapsed().as_secs_f64().max(0.001);
    say(format!("{name} of {date}: {} rows, {per_second:.0} a second", copied.count));
    Ok(())
}

/// Runs the command when the arguments begin with its word.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Option<anyhow::Result<()>> {
    let program = arguments.next()?;
    (arguments.next()? == MIGRATE).then(|| {
        let migrate = clap::Parser::parse_from(std::iter::once(program).chain(arguments));
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let now = crate::clock::Clock::default().now();
        runtime.block_on(self::migrate(&migrate, now, &mut tell))
    })
}

#[expect(clippy::print_stderr, reason = "for the person at the terminal")]
fn tell(text: String) {
    eprintln!("{text}");
}
