//! Names that repeat (namespaces, policies, kinds, ...), each kept once and meant by its number. Numbers are never given
//! anew, so who knows one may keep it in memory.

use super::{Alone, Tx, placeholders};
use std::collections::{BTreeSet, HashMap};

const ADD: &str = "
    INSERT INTO names (id, name) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM names), $1)
    ON CONFLICT (name) DO NOTHING";
const FIND: &str = "SELECT id FROM names WHERE name = $1";
/// Names that are kept in memory between transactions.
const MOST: usize = 100_000;

/// Numbers of names, as a transaction needs them. Between transactions only what is surely stored is kept.
#[derive(Debug, Default)]
pub struct Names {
    stored: HashMap<String, i64>,
    /// Found or given by the transaction that is open.
    fresh: HashMap<String, i64>,
}

impl Names {
    /// The number of a name that was interned before.
    pub(super) fn id(&self, name: &str) -> i64 {
        self.find(name).expect("names of rows are interned before the rows are written")
    }

    fn find(&self, name: &str) -> Option<i64> {
        self.stored.get(name).or_else(|| self.fresh.get(name)).copied()
    }

    /// The transaction was committed: what it found or gave is true for good.
    pub fn committed(&mut self) {
        if self.stored.len() + self.fresh.len() > MOST {
            self.stored.clear();
        }
        self.stored.extend(self.fresh.drain());
    }

    /// The transaction did not happen: what it gave may be given to others. What was stored is asked for again too: a
    /// server that another one took over from may have lost it.
    pub fn forget(&mut self) {
        self.fresh.clear();
        self.stored.clear();
    }
}

impl Tx {
    /// The number of this name, given now if it has none.
    pub async fn intern(&mut self, name: &str) -> sqlx::Result<i64> {
        let known: Option<i64> =
            on!(tx self, |connection| sqlx::query_scalar(FIND).bind(name).fetch_optional(connection).await)?;
        if let Some(id) = known {
            return Ok(id);
        }
        self.alone(Alone::Names).await?;
        on!(tx self, |connection| sqlx::query(ADD).bind(name).execute(connection).await.map(drop))?;
        on!(tx self, |connection| sqlx::query_scalar(FIND).bind(name).fetch_one(connection).await)
    }

    /// Makes sure that all these names have numbers.
    pub(super) async fn intern_all(&mut self, wanted: BTreeSet<&str>, names: &mut Names) -> sqlx::Result<()> {
        let unknown: Vec<&str> = wanted.into_iter().filter(|name| names.find(name).is_none()).collect();
        for piece in super::bulk::pieces(&unknown, usize::MAX) {
            names.fresh.extend(self.known(piece).await?);
            for name in piece {
                if names.find(name).is_none() {
                    let id = self.intern(name).await?;
                    names.fresh.insert((*name).to_owned(), id);
                }
            }
        }
        Ok(())
    }

    async fn known(&mut self, names: &[&str]) -> sqlx::Result<Vec<(String, i64)>> {
        let text = format!("SELECT name, id FROM names WHERE name IN {}", placeholders(1, names.len()));
        on!(tx self, |connection| {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(text));
            names.iter().fold(query, |query, name| query.bind(*name)).fetch_all(connection).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;

    #[tokio::test]
    async fn names_that_many_give_at_once_have_one_number_each() {
        let fresh = Fresh::new().await;
        let give = async |first: &'static str, second: &'static str| {
            let mut tx = fresh.store.begin().await.unwrap();
            let numbers = (tx.intern(first).await.unwrap(), tx.intern(second).await.unwrap());
            tx.commit().await.unwrap();
            numbers
        };
        let (first, second, third) = tokio::join!(give("a", "b"), give("b", "a"), give("c", "a"));
        assert_eq!((first.0, first.1), (second.1, second.0));
        assert_eq!(first.0, third.1);
        assert_eq!(BTreeSet::from([first.0, first.1, third.0]).len(), 3);
    }
}
