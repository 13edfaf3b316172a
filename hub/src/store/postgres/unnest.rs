//! Many rows by one statement: a column is an array, so that the statement is the same for any number of rows and is
//! planned once.

use crate::store::bulk::{Update, Upsert, Value};
use sqlx::{AssertSqlSafe, PgConnection};
use std::fmt::Write;

/// Rows of one statement, so that one message stays small.
const ROWS: usize = 2_000;

enum Column<'v> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'v str>>),
}

pub(in crate::store) async fn insert<const WIDTH: usize>(
    connection: &mut PgConnection,
    statement: Upsert<'_>,
    rows: &[[Value<'_>; WIDTH]],
) -> sqlx::Result<()> {
    for rows in rows.chunks(ROWS) {
        let columns: Vec<Column<'_>> = (0..WIDTH).map(|place| column(rows, place)).collect();
        let text = [statement.into, " SELECT * FROM unnest(", &arrays(&columns), ") ", statement.on_conflict].concat();
        let query = columns.into_iter().fold(sqlx::query(AssertSqlSafe(text)), |query, column| match column {
            Column::Ints(numbers) => query.bind(numbers),
            Column::Texts(texts) => query.bind(texts),
        });
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The same for a statement that changes rows.
pub(in crate::store) async fn update<const WIDTH: usize>(
    connection: &mut PgConnection,
    statement: Update,
    rows: &[[Value<'_>; WIDTH]],
) -> sqlx::Result<Vec<(i64, String)>> {
    let mut returned = vec![];
    for rows in rows.chunks(ROWS) {
        let columns: Vec<Column<'_>> = (0..WIDTH).map(|place| column(rows, place)).collect();
        let names = (1..=WIDTH).map(|place| format!("column{place}")).collect::<Vec<_>>().join(", ");
        let given = ["(SELECT * FROM unnest(", &arrays(&columns), ") AS given (", &names, "))"].concat();
        let text = [statement.before, &given, statement.after].concat();
        let query = sqlx::query_as::<_, (i64, String)>(AssertSqlSafe(text));
        let query = columns.into_iter().fold(query, |query, column| match column {
            Column::Ints(numbers) => query.bind(numbers),
            Column::Texts(texts) => query.bind(texts),
        });
        returned.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(returned)
}

/// `$1::bigint[], $2::text[]`.
fn arrays(columns: &[Column<'_>]) -> String {
    let mut arrays = String::new();
    for (place, column) in columns.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        let kind = match column {
            Column::Ints(_) => "bigint",
            Column::Texts(_) => "text",
        };
        write!(arrays, "{separator}${}::{kind}[]", place + 1).expect("a string takes any text");
    }
    arrays
}

/// A column has values of one kind.
fn column<'v, const WIDTH: usize>(rows: &'v [[Value<'_>; WIDTH]], place: usize) -> Column<'v> {
    if let Some(Value::Text(_) | Value::TextOrNull(_)) = rows.first().map(|row| &row[place]) {
        let text = |row: &'v [Value<'_>; WIDTH]| match &row[place] {
            Value::Text(text) => Some(text.as_ref()),
            Value::TextOrNull(text) => text.as_deref(),
            Value::Int(_) | Value::IntOrNull(_) => None,
        };
        return Column::Texts(rows.iter().map(text).collect());
    }
    let number = |row: &[Value<'_>; WIDTH]| match &row[place] {
        Value::Int(number) => Some(*number),
        Value::IntOrNull(number) => *number,
        Value::Text(_) | Value::TextOrNull(_) => None,
    };
    Column::Ints(rows.iter().map(number).collect())
}
