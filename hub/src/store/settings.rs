//! Small values that there is one of: the admin token's hash, the state of the source.

use super::Store;

const FIND: &str = "SELECT value FROM hub_settings WHERE name = $1";
const SAVE: &str = "
    INSERT INTO hub_settings (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

impl Store {
    /// The value of a setting, if there is one.
    pub async fn setting(&self, name: &str) -> sqlx::Result<Option<String>> {
        on!(self, |pool| sqlx::query_scalar(FIND).bind(name).fetch_optional(pool).await)
    }

    /// Gives a setting this value.
    pub async fn save_setting(&self, name: &str, value: &str) -> sqlx::Result<()> {
        on!(write self, |pool| sqlx::query(SAVE).bind(name).bind(value).execute(pool).await.map(drop))
    }
}
