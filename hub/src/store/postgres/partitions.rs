//! Partitions by day of what grows with every minute: made some days ahead, dropped when they are old. What has no
//! partition of its day lies in the `rest` and moves when the day gets one.

use crate::store::alone::Alone;
use jiff::tz::TimeZone;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, PgConnection};

/// A table whose rows are of days.
struct Table {
    table: &'static str,
    /// What its days are of, and how much of it is a day.
    column: &'static str,
    length: i64,
    /// How full its pages are made, in percent: what is added to later stays on its page.
    fill: u8,
}

const TABLES: [Table; 2] = [
    Table { table: "failures", column: "at", length: DAY_MS, fill: 100 },
    Table { table: "sums_minutes", column: "bucket", length: 1_440, fill: 70 },
];
const DAY_MS: i64 = 86_400_000;
/// Days before and after today that have partitions: late reports, and a hub that cannot make any for a while.
const BEHIND: i64 = 1;
const AHEAD: i64 = 3;
/// Rather later than never: readers are not kept waiting behind us.
const WAIT: &str = "SET LOCAL lock_timeout = '2s'";
const EXISTS: &str = "SELECT to_regclass($1) IS NOT NULL";
const LIST: &str = "
    SELECT part.relname::text FROM pg_inherits
    JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = to_regclass($1) ORDER BY part.relname";

/// Makes those that are missing for the days around now; how many.
pub(in crate::store) async fn make(pool: &PgPool, now: i64) -> sqlx::Result<usize> {
    let today = now.div_euclid(DAY_MS);
    let mut made = 0;
    for table in &TABLES {
        for day in today - BEHIND..=today + AHEAD {
            made += usize::from(make_one(pool, table, day).await?);
        }
    }
    Ok(made)
}

/// The column that the days of a table are of, and how much of it is a day, if it has partitions.
pub(in crate::store) fn day_of(name: &str) -> Option<(&'static str, i64)> {
    TABLES.iter().find(|of| of.table == name).map(|of| (of.column, of.length))
}

/// Makes that of one day of a table, if it is missing.
pub(in crate::store) async fn make_day(pool: &PgPool, name: &str, day: i64) -> sqlx::Result<()> {
    for of in TABLES.iter().filter(|of| of.table == name) {
        make_one(pool, of, day).await?;
    }
    Ok(())
}

async fn make_one(pool: &PgPool, table: &Table, day: i64) -> sqlx::Result<bool> {
    let Table { table, column, length, fill } = *table;
    let Some(name) = name(table, day) else { return Ok(false) };
    if sqlx::query_scalar(EXISTS).bind(&name).fetch_one(pool).await? {
        return Ok(false);
    }
    let (from, until) = (day * length, (day + 1) * length);
    let mut tx = pool.begin().await?;
    // Who folds much keeps its locks longer than we wait for them.
    Alone::Folding.take(&mut tx).await?;
    run(&mut tx, WAIT.to_owned()).await?;
    // Nothing of this day may come into the rest while it moves. Whoever writes waits at the table: at the rest they would
    // have chosen it already, and fail for it once the day has its own place.
    run(&mut tx, format!("LOCK TABLE ONLY {table} IN SHARE ROW EXCLUSIVE MODE")).await?;
    run(&mut tx, format!("LOCK TABLE {table}_rest IN ACCESS EXCLUSIVE MODE")).await?;
    run(&mut tx, format!("CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS) WITH (fillfactor = {fill})")).await?;
    run(
        &mut tx,
        format!(
            "WITH moved AS (DELETE FROM {table}_rest WHERE {column} >= {from} AND {column} < {until} RETURNING *)
             INSERT INTO {name} SELECT * FROM moved"
        ),
    )
    .await?;
    run(&mut tx, format!("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({until})")).await?;
    tx.commit().await?;
    Ok(true)
}

/// Drops those of a table whose days ended before this time (Unix milliseconds); how many.
pub(in crate::store) async fn drop_before(pool: &PgPool, table: &str, before: i64) -> sqlx::Result<usize> {
    // Days are named in the order of time.
    let Some(first_kept) = name(table, before.div_euclid(DAY_MS)) else { return Ok(0) };
    let names: Vec<String> = sqlx::query_scalar(LIST).bind(table).fetch_all(pool).await?;
    let is_day = |name: &String| name.len() == first_kept.len() && !name.ends_with("_rest");
    let mut dropped = 0;
    for name in names.iter().filter(|name| is_day(name) && **name < first_kept) {
        let mut tx = pool.begin().await?;
        run(&mut tx, WAIT.to_owned()).await?;
        run(&mut tx, format!("DROP TABLE {name}")).await?;
        tx.commit().await?;
        dropped += 1;
    }
    Ok(dropped)
}

/// `failures_20261128`; nothing for a day that no calendar has.
fn name(table: &str, day: i64) -> Option<String> {
    let date = jiff::Timestamp::from_second(day.checked_mul(86_400)?).ok()?.to_zoned(TimeZone::UTC).date();
    (date.year() >= 1970).then(|| format!("{table}_{:04}{:02}{:02}", date.year(), date.month(), date.day()))
}

/// Names are of our tables and of days, never of what anyone sent.
async fn run(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::fresh::Fresh;

    const COUNT: &str = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = to_regclass($1)";
    const PLACES: &str = "SELECT tableoid::regclass::text FROM sums_minutes ORDER BY bucket";

    #[tokio::test]
    async fn days_get_partitions_ahead_and_old_ones_are_dropped_with_their_rows() {
        let Some(fresh) = Fresh::postgres("partitions").await else { return };
        let Store::Postgres { writer, .. } = &fresh.store else { unreachable!("it is PostgreSQL") };
        let now = 20_785 * DAY_MS + 5;
        for minute in [0, 20_780, 20_785, 20_786].map(|day| day * 1_440) {
            let add = format!("INSERT INTO sums VALUES (1, {minute}, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)");
            sqlx::query(AssertSqlSafe(add)).execute(writer).await.unwrap();
        }
        let later = now + DAY_MS;
        let made = [now, now, later].map(|now| make(writer, now));
        let mut counts = vec![];
        for made in made {
            counts.push(made.await.unwrap());
        }
        assert_eq!(counts, [10, 0, 2]);
        let places: Vec<String> = sqlx::query_scalar(PLACES).fetch_all(writer).await.unwrap();
        let (rest, day) = ("sums_minutes_rest", "sums_minutes_20261128");
        assert_eq!(places, [rest, rest, day, "sums_minutes_20261129"], "rows moved to their days");
        assert_eq!(fresh.store.drop_before("sums_minutes", 20_786 * DAY_MS).await.unwrap(), 2);
        let places: Vec<String> = sqlx::query_scalar(PLACES).fetch_all(writer).await.unwrap();
        assert_eq!(places, [rest, rest, "sums_minutes_20261129"]);
        let count: i64 = sqlx::query_scalar(COUNT).bind("failures").fetch_one(writer).await.unwrap();
        assert_eq!(count, 7, "other tables keep theirs");
    }

    const WAITING: &str = "
        SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    const TABLES_WAITED_FOR: &str = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    /// Returns when so many wait for a lock.
    async fn waiting(pool: &PgPool, count: i64) {
        while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(pool).await.unwrap() < count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn rows_that_come_while_their_day_gets_its_partition_find_it() {
        let Some(fresh) = Fresh::postgres("partition while rows come").await else { return };
        let Store::Postgres { writer, .. } = &fresh.store else { unreachable!("it is PostgreSQL") };
        let minute = 20_785 * 1_440;
        let add = format!("INSERT INTO sums VALUES (1, {minute}, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)");
        let mut reader = writer.begin().await.unwrap();
        run(&mut reader, "LOCK TABLE sums_minutes_rest IN ACCESS SHARE MODE".to_owned()).await.unwrap();
        let of_minutes = &TABLES[1];
        let making = make_one(writer, of_minutes, 20_785);
        let adding = async {
            waiting(writer, 1).await;
            sqlx::query(AssertSqlSafe(add)).execute(writer).await
        };
        let ending = async {
            waiting(writer, 2).await;
            reader.commit().await
        };
        let (made, added, ended) = tokio::join!(making, adding, ending);
        assert!(made.unwrap() && ended.is_ok());
        assert_eq!(added.unwrap().rows_affected(), 1);
        let places: Vec<String> = sqlx::query_scalar(PLACES).fetch_all(writer).await.unwrap();
        assert_eq!(places, ["sums_minutes_20261128"]);
    }

    #[tokio::test]
    async fn day_gets_its_partition_between_two_turns_of_folding() {
        let Some(fresh) = Fresh::postgres("partition while counts are folded").await else { return };
        let Store::Postgres { writer, .. } = &fresh.store else { unreachable!("it is PostgreSQL") };
        let mut folding = writer.begin().await.unwrap();
        Alone::Folding.take(&mut folding).await.unwrap();
        run(&mut folding, "LOCK TABLE sums_minutes IN ROW EXCLUSIVE MODE".to_owned()).await.unwrap();
        let making = make_one(writer, &TABLES[1], 20_785);
        let ending = async {
            waiting(writer, 1).await;
            let tables: i64 = sqlx::query_scalar(TABLES_WAITED_FOR).fetch_one(writer).await.unwrap();
            folding.commit().await.unwrap();
            tables
        };
        let (made, tables) = tokio::join!(making, ending);
        assert!(made.unwrap());
        assert_eq!(tables, 0, "it waits for its turn, which has no end, and not for the table, which has");
    }

    #[test]
    fn names_sort_as_their_days() {
        let names: Vec<_> = [0, 19_999, 20_000, 20_785].map(|day| name("failures", day).unwrap()).into();
        assert_eq!(names, ["failures_19700101", "failures_20241003", "failures_20241004", "failures_20261128"]);
        assert_eq!(name("failures", i64::MAX), None);
    }
}
