//! How the hub came to its present key: each key's word for the next one.

use super::revisions::json;
use super::{Store, Tx, valid};
use writ_policy::sign::Signed;

const LIST: &str = "SELECT statement FROM hub_key_successions ORDER BY number";
/// Of two that announce at once one fails: the number is taken.
const ADD: &str = "INSERT INTO hub_key_successions (number, statement) VALUES ($1, $2)";

impl Store {
    /// All announcements, oldest first.
    pub async fn successions(&self) -> sqlx::Result<Vec<Signed>> {
        let texts: Vec<String> = on!(self, |pool| sqlx::query_scalar(LIST).fetch_all(pool).await)?;
        texts.iter().map(|text| valid(serde_json::from_str(text))).collect()
    }
}

impl Tx {
    /// Adds an announcement to those that there are, `known` many.
    pub async fn add_succession(&mut self, known: usize, signed: &Signed) -> sqlx::Result<()> {
        let number = i64::try_from(known).unwrap_or(i64::MAX - 1) + 1;
        on!(tx self, |connection| {
            sqlx::query(ADD).bind(number).bind(json(signed)).execute(connection).await.map(drop)
        })
    }
}
