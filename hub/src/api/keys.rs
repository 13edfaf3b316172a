//! `GET /v1/keys`: how the hub came to its present key, for agents that trust an earlier one.

use crate::access::Agent;
use crate::app::App;
use axum::extract::State;
use writ_policy::wire::HubKeys;

/// Shows the announcements.
pub async fn show(_: Agent, State(app): State<App>) -> axum::Json<HubKeys> {
    axum::Json(HubKeys { successions: app.keys.successions().to_vec() })
}
