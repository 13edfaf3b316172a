//! Many rows by few statements: values of one row as an array, statements of a handful of lengths so that each is
//! prepared once. The one place where rows of reports meet a database's way to take many of them.

use super::Tx;
use sqlx::sqlite::SqliteConnection;
use std::borrow::Cow;

/// Rows of one statement. Few lengths, since each is a statement of its own to prepare.
const LENGTHS: [usize; 5] = [256, 64, 16, 4, 1];
/// The most values of one statement: SQLite binds at most 32,766.
const MAX_VALUES: usize = 16_000;

/// One value of a row.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    Int(i64),
    IntOrNull(Option<i64>),
    Text(Cow<'v, str>),
    TextOrNull(Option<Cow<'v, str>>),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::IntOrNull(number)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'v> From<Option<&'v str>> for Value<'v> {
    fn from(text: Option<&'v str>) -> Self {
        Self::TextOrNull(text.map(Cow::Borrowed))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        Self::TextOrNull(text.map(Cow::Owned))
    }
}

/// Rows that may be there already: `INSERT INTO table (columns)`, and what follows the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upsert<'t> {
    pub(super) into: &'t str,
    pub(super) on_conflict: &'t str,
}

/// Rows that are new.
#[derive(Debug, Clone, Copy)]
pub(super) struct Append {
    pub(super) table: &'static str,
    pub(super) columns: &'static str,
}

/// A statement that changes rows by others, which stand between its two halves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Update {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

/// The query with this value.
macro_rules! bound {
    ($query:expr, $value:expr) => {
        match $value {
            Value::Int(number) => $query.bind(*number),
            Value::IntOrNull(number) => $query.bind(*number),
            Value::Text(text) => $query.bind(text.as_ref()),
            Value::TextOrNull(text) => $query.bind(text.as_deref()),
        }
    };
}

impl Tx {
    /// Writes the rows, or changes those that are there. Within one call no two rows may conflict with each other.
    pub(super) async fn upsert<const WIDTH: usize>(
        &mut self,
        statement: Upsert<'_>,
        rows: &[[Value<'_>; WIDTH]],
    ) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(transaction) => insert(transaction, statement, rows).await,
            Tx::Postgres(transaction) => super::postgres::unnest::insert(transaction, statement, rows).await,
        }
    }

    /// Adds rows, none of which can be there already.
    pub(super) async fn append<const WIDTH: usize>(
        &mut self,
        Append { table, columns }: Append,
        rows: &[[Value<'_>; WIDTH]],
    ) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(transaction) => {
                let into = format!("INSERT INTO {table} ({columns})");
                insert(transaction, Upsert { into: &into, on_conflict: "" }, rows).await
            }
            Tx::Postgres(transaction) => super::postgres::copy::copy(transaction, table, columns, rows).await,
        }
    }

    /// Changes rows by others that are given as `news.column1`, `news.column2`: `UPDATE .. FROM` before them, `AS news
    /// WHERE .. RETURNING` a number and a text after them. What was returned.
    pub(super) async fn update<const WIDTH: usize>(
        &mut self,
        statement: Update,
        rows: &[[Value<'_>; WIDTH]],
    ) -> sqlx::Result<Vec<(i64, String)>> {
        match self {
            Tx::Sqlite(transaction) => update(transaction, statement, rows).await,
            Tx::Postgres(transaction) => super::postgres::unnest::update(transaction, statement, rows).await,
        }
    }
}

async fn update<const WIDTH: usize>(
    connection: &mut SqliteConnection,
    statement: Update,
    rows: &[[Value<'_>; WIDTH]],
) -> sqlx::Result<Vec<(i64, String)>> {
    let mut returned = vec![];
    for piece in pieces(rows, MAX_VALUES / WIDTH) {
        let text = [statement.before, "(VALUES ", &unnamed(piece.len(), WIDTH), ")", statement.after].concat();
        let mut query = sqlx::query_as::<_, (i64, String)>(sqlx::AssertSqlSafe(text));
        for value in piece.iter().flatten() {
            query = bound!(query, value);
        }
        returned.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(returned)
}

async fn insert<const WIDTH: usize>(
    connection: &mut SqliteConnection,
    statement: Upsert<'_>,
    rows: &[[Value<'_>; WIDTH]],
) -> sqlx::Result<()> {
    for piece in pieces(rows, MAX_VALUES / WIDTH) {
        let text = [statement.into, " VALUES ", &unnamed(piece.len(), WIDTH), " ", statement.on_conflict].concat();
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for value in piece.iter().flatten() {
            query = bound!(query, value);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// `count` rows of `width` values: `(?, ?), (?, ?)`. To SQLite `$1` is a name, and binding looks through all names for
/// each value: with thousands of them that took twice as long as storing.
fn unnamed(count: usize, width: usize) -> String {
    let row = ["(", &vec!["?"; width].join(", "), ")"].concat();
    vec![row; count].join(", ")
}

/// The rows in slices of the lengths that statements have.
pub(super) fn pieces<T>(mut rows: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = LENGTHS.into_iter().find(|length| *length <= rows.len() && *length <= most.max(1))?;
        let (piece, rest) = rows.split_at(length);
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::{pieces, unnamed};

    #[test]
    fn values_without_names_are_in_rows() {
        assert_eq!(unnamed(2, 2), "(?, ?), (?, ?)");
    }

    #[test]
    fn pieces_have_few_lengths_and_hold_every_row_once() {
        let rows: Vec<u32> = (0..603).collect();
        let lengths: Vec<usize> = pieces(&rows, 300).map(<[u32]>::len).collect();
        assert_eq!(lengths, [256, 256, 64, 16, 4, 4, 1, 1, 1]);
        assert_eq!(pieces(&rows, 70).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(pieces(&rows[..0], 70).count(), 0);
    }
}
