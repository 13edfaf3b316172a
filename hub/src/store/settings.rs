//! Small values that there is one of: the admin token's hash, the state of the source.

use super::{Store, Tx};

const FIND: &str = "SELECT value FROM hub_settings WHERE name = $1";
const SAVE: &str = "
    INSERT INTO hub_settings (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const ADD: &str = "INSERT INTO hub_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

impl Store {
    /// The value of a setting, if there is one.
    pub async fn setting(&self, name: &str) -> sqlx::Result<Option<String>> {
        on!(self, |pool| sqlx::query_scalar(FIND).bind(name).fetch_optional(pool).await)
    }

    /// Gives a setting this value.
    pub async fn save_setting(&self, name: &str, value: &str) -> sqlx::Result<()> {
        on!(write self, |pool| sqlx::query(SAVE).bind(name).bind(value).execute(pool).await.map(drop))
    }

    /// Gives a setting this value unless it has one; the value that it has then. Of two hubs that begin at once, one
    /// gives it.
    pub async fn add_setting(&self, name: &str, value: &str) -> sqlx::Result<String> {
        on!(write self, |pool| {
            sqlx::query(ADD).bind(name).bind(value).execute(pool).await?;
            sqlx::query_scalar(FIND).bind(name).fetch_one(pool).await
        })
    }
}

impl Tx {
    /// Gives a setting this value.
    pub async fn save_setting(&mut self, name: &str, value: &str) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(SAVE).bind(name).bind(value).execute(connection).await.map(drop))
    }
}
