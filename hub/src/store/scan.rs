//! Lists by a key that new rows do not shift, filtered by anything, and bounded: a page looks at no more than a fixed
//! number of rows of one index, whatever is asked for. Filters that no index holds are applied to those rows; when they
//! leave too few, the answer says where the next look begins.

use super::Store;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// Rows of the index that one answer looks at, at most, when not all that is asked for is in the index.
pub const MOST_LOOKED_AT: i64 = 5_000;

/// A condition, `{}` in the place of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) text: &'static str,
    pub(super) value: String,
}

/// Where a list begins: older than this row.
pub type Place = (i64, String);

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Where the next part begins, if there may be one.
    pub next: Option<Place>,
    /// Whether the looking ended before enough were found: `next` looks further.
    pub is_partial: bool,
}

/// A row of a list.
pub(super) trait Listed {
    /// Where it stands.
    fn place(&self) -> Place;
}

/// What a list shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// The columns that filters ask for, beside id and time.
    pub(super) columns: &'static str,
    /// The rows of `found`, which has ids and times.
    pub(super) rows: &'static str,
}

/// A list of rows of one table, the newest first.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// The table.
    pub(super) table: &'static str,
    /// The column of its time, which the indexes end with, before the id.
    pub(super) at: &'static str,
    /// What every row of the list is, as partial indexes say it.
    pub(super) fixed: &'static str,
    /// The one condition that an index begins with.
    pub(super) indexed: Option<&'a Condition>,
    /// Conditions on rows of the index.
    pub(super) rest: Vec<&'a Condition>,
    /// Not before this time.
    pub(super) since: i64,
    /// Older than this row.
    pub(super) before: Option<&'a Place>,
}

/// A statement under construction, with its values in order.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) values: Vec<Bound>,
}

/// A value to bind.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    Number(i64),
    Text(String),
}

impl Statement {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn bind(&mut self, value: Bound) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn condition(&mut self, condition: &Condition) {
        let place = self.bind(Bound::Text(condition.value.clone()));
        self.push(&condition.text.replace("{}", &place));
    }
}

/// Binds the values of a statement.
macro_rules! with_values {
    ($query:expr, $values:expr) => {
        $values.iter().fold($query, |query, value| match value {
            $crate::store::scan::Bound::Number(number) => query.bind(*number),
            $crate::store::scan::Bound::Text(text) => query.bind(text.as_str()),
        })
    };
}
pub(super) use with_values;

impl Scan<'_> {
    /// `SELECT what FROM` the rows that are looked at; at most `limit` of them, in the order of the index.
    fn looked_at(&self, statement: &mut Statement, what: &str, limit: i64) {
        let Scan { table, at, fixed, .. } = *self;
        statement.push(&format!("SELECT {what} FROM {table} WHERE {fixed}"));
        if let Some(condition) = self.indexed {
            statement.push(" AND ");
            statement.condition(condition);
        }
        if self.since > 0 {
            let place = statement.bind(Bound::Number(self.since));
            statement.push(&format!(" AND {at} >= {place}"));
        }
        if let Some((when, id)) = self.before {
            let (when, id) = (statement.bind(Bound::Number(*when)), statement.bind(Bound::Text(id.clone())));
            statement.push(&format!(" AND ({at}, id) < ({when}, {id})"));
        }
        let limit = statement.bind(Bound::Number(limit));
        statement.push(&format!(" ORDER BY {at} DESC, id DESC LIMIT {limit}"));
    }

    /// A part of the list.
    pub(super) async fn page<R>(&self, store: &Store, shown: Shown, limit: i64) -> sqlx::Result<Page<R>>
    where
        R: Listed + Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let Statement { text, values } = self.list(shown, limit);
        let rows: Vec<R> = on!(store, |pool| {
            with_values!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await
        })?;
        if rows.len() as i64 >= limit {
            let next = rows.last().map(Listed::place);
            return Ok(Page { rows, next, is_partial: false });
        }
        let next = if self.rest.is_empty() { None } else { self.end(store).await? };
        Ok(Page { rows, is_partial: next.is_some(), next })
    }

    /// Its statement.
    pub(super) fn list(&self, shown: Shown, limit: i64) -> Statement {
        let mut statement = Statement::default();
        statement.push("WITH found AS (");
        self.matching(&mut statement, shown.columns, limit);
        statement.push(")");
        statement.push(shown.rows);
        statement
    }

    /// `(SELECT id, at FROM ...)` of the rows that match, the newest `limit` of them.
    fn matching(&self, statement: &mut Statement, columns: &str, limit: i64) {
        let at = self.at;
        if self.rest.is_empty() {
            return self.looked_at(statement, &format!("id, {at} AS at"), limit);
        }
        statement.push("SELECT id, at FROM (");
        self.looked_at(statement, &format!("id, {at} AS at, {columns}"), MOST_LOOKED_AT);
        statement.push(") AS looked_at WHERE ");
        self.rest(statement);
        let limit = statement.bind(Bound::Number(limit));
        statement.push(&format!(" ORDER BY at DESC, id DESC LIMIT {limit}"));
    }

    /// Counts of the rows that match among those that are looked at, by these columns.
    pub(super) fn counts(&self, columns: &str, by: &str) -> Statement {
        let mut statement = Statement::default();
        statement.push(&format!("SELECT {by}, COUNT(*) FROM ("));
        self.looked_at(&mut statement, columns, MOST_LOOKED_AT);
        statement.push(") AS looked_at");
        if !self.rest.is_empty() {
            statement.push(" WHERE ");
            self.rest(&mut statement);
        }
        statement.push(&format!(" GROUP BY {by} ORDER BY COUNT(*) DESC, {by}"));
        statement
    }

    fn rest(&self, statement: &mut Statement) {
        for (index, condition) in self.rest.iter().enumerate() {
            statement.push(if index > 0 { " AND " } else { "" });
            statement.condition(condition);
        }
    }

    /// The row at which the looking ended, when there were as many as are looked at; a walk along the index.
    pub(super) async fn end(&self, store: &Store) -> sqlx::Result<Option<Place>> {
        let Statement { text, values } = self.end_of_looking();
        on!(store, |pool| with_values!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_optional(pool).await)
    }

    pub(super) fn end_of_looking(&self) -> Statement {
        let mut statement = Statement::default();
        self.looked_at(&mut statement, &format!("{} AS at, id", self.at), 1);
        statement.push(&format!(" OFFSET {}", MOST_LOOKED_AT - 1));
        statement
    }
}
