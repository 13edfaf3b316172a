//! SQLite: one file, one writing connection, several readers, and one that takes the journal into the file.

use super::{Store, migrations, moving};
use anyhow::bail;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use std::time::{Duration, Instant};

/// Readers beside the one writer.
const READERS: u32 = 4;
/// Memory for pages of the file, in KiB below zero: the leaves of indexes that are added to now, and of sums that are read.
const WRITER_CACHE: &str = "-65536";
const READER_CACHE: &str = "-16384";
/// Pages of the journal after which the writer itself takes it into the file: 64 MiB. A connection of its own does so
/// every second, so that there is little left for the writer, which keeps reports waiting meanwhile.
const CHECKPOINT_PAGES: &str = "16000";
/// Rows that the thread of a connection reads ahead: each handing over costs more than reading the row.
const ROWS_AT_A_TIME: usize = 4_096;
/// The longest that a read may take, looked at every so many instructions of SQLite's machine.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);
const INSTRUCTIONS: i32 = 20_000;

/// Opens the file, makes it when it is not there, and brings it to this version's shape.
pub(super) async fn open(file: &Path) -> anyhow::Result<Store> {
    // A receipt means that the rows survive a power cut, hence FULL.
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .statement_cache_capacity(200)
        .row_buffer_size(ROWS_AT_A_TIME)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    // Of a file that is made now: what retention frees goes back to the disk.
    let making = options.clone().auto_vacuum(SqliteAutoVacuum::Incremental).pragma("cache_size", WRITER_CACHE);
    migrate(making.clone(), file).await?;
    // What a statement has changed so far is kept in memory, in case that it fails: a file of it took a sixth of the
    // writer's time. Migrations sort whole tables, which belongs on the disk.
    let writing = making.pragma("temp_store", "MEMORY");
    let checkpoints = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let writer = SqlitePoolOptions::new().max_connections(1).before_acquire(|connection, _| {
        // A full disk ends a transaction without us; the connection that still counts it begins no other.
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    });
    let writer = writer.connect_with(writing).await;
    let writer = writer.map_err(|error| explained(file, error.into()))?;
    let readers = SqlitePoolOptions::new().max_connections(READERS).before_acquire(|connection, _| {
        Box::pin(async move {
            // Each read takes a connection of its own, so that this is the limit of one statement.
            let end = Instant::now() + STATEMENT_LIMIT;
            connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS, move || Instant::now() < end);
            Ok(true)
        })
    });
    let readers = readers.connect_with(options.read_only(true).pragma("cache_size", READER_CACHE)).await?;
    Ok(Store::Sqlite { writer, readers, checkpoints })
}

/// Brings the file to this version's shape.
async fn migrate(making: SqliteConnectOptions, file: &Path) -> anyhow::Result<()> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(making).await;
    let pool = pool.map_err(|error| explained(file, error.into()))?;
    refuse_if_moved(&pool, file).await?;
    let migrated = migrations::SQLITE.run(&pool).await.map_err(migrations::explained);
    migrated.map_err(|error| explained(file, error))?;
    pool.close().await;
    Ok(())
}

impl Store {
    /// Takes what the journal holds into the file, as far as nobody reads what was before; the writer goes on meanwhile.
    pub async fn checkpoint(&self) -> sqlx::Result<()> {
        match self {
            Store::Sqlite { checkpoints, .. } => {
                sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(checkpoints).await.map(drop)
            }
            Store::Postgres { .. } => Ok(()),
        }
    }
}

/// Whether it was not moved elsewhere.
pub(super) async fn can_be_written(pool: &SqlitePool) -> sqlx::Result<bool> {
    Ok(moving::moved_to(&mut *pool.acquire().await?).await?.is_none())
}

/// What was moved elsewhere goes on there; here nothing new can be written.
async fn refuse_if_moved(pool: &SqlitePool, file: &Path) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    let to = moving::moved_to(&mut connection).await.map_err(|error| explained(file, error.into()))?;
    let Some(to) = to else { return Ok(()) };
    let file = file.display();
    bail!(
        "{file} was moved to {to}: start the hub with --database for it. As long as `writ-hub migrate` has not come to \
         its end, its --give-up opens this one again"
    )
}

/// Says which file it is, and what to do when it is damaged. Nothing is made in its place.
fn explained(file: &Path, error: anyhow::Error) -> anyhow::Error {
    let code = error.chain().find_map(|cause| {
        let database = cause.downcast_ref::<sqlx::Error>()?.as_database_error()?;
        database.code().map(|code| code.into_owned())
    });
    // Damaged, and no database at all.
    let is_damaged = code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 11 | 26));
    let file = file.display();
    match is_damaged {
        true => error.context(format!("{file} is damaged or is no database: move it away and restore a backup")),
        false => error.context(format!("opening {file}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::store::fresh::Fresh;
    use crate::store::{Store, Tx};

    #[tokio::test]
    async fn checkpoint_takes_the_journal_into_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, copy) = (folder.path().join("hub.db"), folder.path().join("copy.db"));
        let store = super::open(&file).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.save_setting("a", "b").await.unwrap();
        tx.commit().await.unwrap();
        store.checkpoint().await.unwrap();
        // Without the journal beside it.
        std::fs::copy(&file, &copy).unwrap();
        let copied = super::open(&copy).await.unwrap();
        assert_eq!(copied.setting("a").await.unwrap().as_deref(), Some("b"));
    }

    #[tokio::test]
    async fn transaction_that_the_database_ended_itself_is_not_the_last() {
        let fresh = Fresh::new().await;
        let Store::Sqlite { .. } = &fresh.store else { return };
        let mut tx = fresh.store.begin().await.unwrap();
        // So SQLite does when it cannot write.
        let Tx::Sqlite(transaction) = &mut tx else { return };
        sqlx::query("ROLLBACK").execute(&mut **transaction).await.unwrap();
        drop(tx);
        let mut next = fresh.store.begin().await.unwrap();
        next.save_setting("a", "b").await.unwrap();
        next.commit().await.unwrap();
        assert_eq!(fresh.store.setting("a").await.unwrap().as_deref(), Some("b"));
    }
}
