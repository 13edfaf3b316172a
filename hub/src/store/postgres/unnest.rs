//! Many rows by one statement: a column is an array, so that the statement is the same for any number of rows and is
//! planned once.

use crate::store::bulk::{Upsert, Value};
use sqlx::{AssertSqlSafe, PgConnection};
use std::fmt::Write;

/// Rows of one statement, so that one message stays small.
const ROWS: usize = 2_000;

enum Column<'v> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<&'v str>),
}

pub(in crate::store) async fn insert<const WIDTH: usize>(
    connection: &mut PgConnection,
    statement: Upsert<'_>,
    rows: &[[Value<'_>; WIDTH]],
) -> sqlx::Result<()> {
    for rows in rows.chunks(ROWS) {
        let columns: Vec<Column<'_>> = (0..WIDTH).map(|place| column(rows, place)).collect();
        let mut arrays = String::new();
        for (place, column) in columns.iter().enumerate() {
            let (separator, kind) = match column {
                Column::Ints(_) => (if place == 0 { "" } else { ", " }, "bigint"),
                Column::Texts(_) => (if place == 0 { "" } else { ", " }, "text"),
            };
            write!(arrays, "{separator}${}::{kind}[]", place + 1).expect("a string takes any text");
        }
        let text = [statement.into, " SELECT * FROM unnest(", &arrays, ") ", statement.on_conflict].concat();
        let query = columns.into_iter().fold(sqlx::query(AssertSqlSafe(text)), |query, column| match column {
            Column::Ints(numbers) => query.bind(numbers),
            Column::Texts(texts) => query.bind(texts),
        });
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// A column has values of one kind.
fn column<'v, const WIDTH: usize>(rows: &'v [[Value<'_>; WIDTH]], place: usize) -> Column<'v> {
    if let Some(Value::Text(_)) = rows.first().map(|row| &row[place]) {
        let text = |row: &'v [Value<'_>; WIDTH]| match &row[place] {
            Value::Text(text) => text.as_ref(),
            Value::Int(_) | Value::IntOrNull(_) => "",
        };
        return Column::Texts(rows.iter().map(text).collect());
    }
    let number = |row: &[Value<'_>; WIDTH]| match &row[place] {
        Value::Int(number) => Some(*number),
        Value::IntOrNull(number) => *number,
        Value::Text(_) => None,
    };
    Column::Ints(rows.iter().map(number).collect())
}
