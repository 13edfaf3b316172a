//! `POST /v1/desired`: answered at once when the agent should enforce something else, else held until it should, or
//! until the time is over (204). The request itself is the agent's heartbeat and its proof of enforcement.

use super::Json;
use crate::access::Agent;
use crate::app::App;
use crate::board::Word;
use crate::failure::{Error, Failure};
use crate::heartbeat;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use writ_policy::Digest;
use writ_policy::wire::DesiredRequest;

/// Tells the agent what to enforce, once there is something to tell.
pub async fn desired(
    agent: Agent,
    State(app): State<App>,
    Json(request): Json<DesiredRequest>,
) -> Result<Response, Failure> {
    let DesiredRequest { have, state } = request;
    // What it refused it knows already; it is told again when the time is over, not in a loop: why it refused (a full
    // disk, a child that could not start) may be gone by then.
    let refused = state.refused.as_ref().map(|refused| refused.assignment);
    let leaving = state.leaving;
    let lost = state.active.as_ref().map(|active| active.epoch);
    let mut newest = app.board.follow(agent.cluster_id).ok_or(Error::Busy)?;
    let is_behind = newest.borrow().as_ref().is_some_and(|word| lost.is_some_and(|epoch| epoch > word.epoch));
    heartbeat::note(&app, agent.cluster_id, state).await?;
    if leaving {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if is_behind {
        // The agent enforces a later epoch than this hub remembers: the next must be beyond it.
        app.want_round().await?;
    }
    let news = async {
        let told = newest.wait_for(|word| word.as_deref().is_some_and(|word| is_news(word, have, refused))).await;
        told.ok().and_then(|told| told.clone())
    };
    let told = tokio::select! {
        biased;
        word = news => word,
        () = app.shutdown.cancelled() => None,
        () = tokio::time::sleep(app.hold) => newest.borrow().clone().filter(|word| Some(word.digest) != have),
    };
    Ok(match told {
        Some(word) => ([(header::CONTENT_TYPE, "application/json")], word.body.clone()).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn is_news(word: &Word, have: Option<Digest>, refused: Option<Digest>) -> bool {
    Some(word.digest) != have && Some(word.digest) != refused
}
