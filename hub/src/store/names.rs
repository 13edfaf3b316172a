//! Names that repeat (namespaces, policies, kinds, ...), each kept once and meant by its number.

use super::{Tx, placeholders};
use std::collections::{BTreeSet, HashMap};

const ADD: &str = "
    INSERT INTO names (id, name) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM names), $1)
    ON CONFLICT (name) DO NOTHING";
const FIND: &str = "SELECT id FROM names WHERE name = $1";
/// Names that are looked up by one statement.
const CHUNK: usize = 500;

impl Tx {
    /// The number of this name, given now if it has none.
    pub async fn intern(&mut self, name: &str) -> sqlx::Result<i64> {
        let known: Option<i64> =
            on!(tx self, |connection| sqlx::query_scalar(FIND).bind(name).fetch_optional(connection).await)?;
        if let Some(id) = known {
            return Ok(id);
        }
        on!(tx self, |connection| sqlx::query(ADD).bind(name).execute(&mut *connection).await)?;
        on!(tx self, |connection| sqlx::query_scalar(FIND).bind(name).fetch_one(connection).await)
    }

    /// The numbers of all these names.
    pub async fn intern_all<'n>(&mut self, names: &BTreeSet<&'n str>) -> sqlx::Result<HashMap<&'n str, i64>> {
        let all: Vec<&'n str> = names.iter().copied().collect();
        let mut ids = HashMap::with_capacity(all.len());
        for chunk in all.chunks(CHUNK) {
            let known = self.known(chunk).await?;
            for name in chunk {
                let id = match known.get(*name) {
                    Some(id) => *id,
                    None => self.intern(name).await?,
                };
                ids.insert(*name, id);
            }
        }
        Ok(ids)
    }

    async fn known(&mut self, names: &[&str]) -> sqlx::Result<HashMap<String, i64>> {
        let text = format!("SELECT name, id FROM names WHERE name IN {}", placeholders(1, names.len()));
        let rows: Vec<(String, i64)> = on!(tx self, |connection| {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(text));
            names.iter().fold(query, |query, name| query.bind(*name)).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().collect())
    }
}
