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
use std::sync::Arc;
use tokio::sync::watch;
use writ_policy::Digest;
use writ_policy::bundle::Assignment;
use writ_policy::sign::Signed;
use writ_policy::wire::{Active, DesiredRequest};

/// What the request waits for.
struct Wait {
    newest: watch::Receiver<Option<Arc<Word>>>,
    have: Option<Digest>,
    /// What it refused it knows already; it is told again when the time is over, not in a loop: why it refused (a full
    /// disk, a child that could not start) may be gone by then.
    refused: Option<Digest>,
}

/// Tells the agent what to enforce, once there is something to tell.
pub async fn desired(
    agent: Agent,
    State(app): State<App>,
    Json(request): Json<DesiredRequest>,
) -> Result<Response, Failure> {
    // In a box, which is given back before the wait: thousands are held at a time, and transactions are large.
    let told = match Box::pin(take_in(&app, agent, request)).await? {
        Some(wait) => wait.hold(&app).await,
        None => None,
    };
    Ok(match told {
        Some(word) => ([(header::CONTENT_TYPE, "application/json")], word.body.clone()).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Takes in what the agent says, and keeps of it what the wait needs. An agent that leaves waits for nothing.
async fn take_in(app: &App, agent: Agent, request: DesiredRequest) -> Result<Option<Wait>, Failure> {
    let DesiredRequest { have, proof, state } = request;
    let refused = state.refused.as_ref().map(|refused| refused.assignment);
    let leaving = state.leaving;
    let active = state.active.clone();
    let newest = app.board.follow(agent.cluster_id).ok_or(Error::Busy)?;
    let forgot = active.is_some_and(|active| newest.borrow().as_ref().is_some_and(|word| is_forgotten(&active, word)));
    heartbeat::note(app, agent.cluster_id, state).await?;
    if leaving {
        return Ok(None);
    }
    if forgot {
        remember(app, &agent, proof).await?;
    }
    Ok(Some(Wait { newest, have, refused }))
}

impl Wait {
    /// Holds the request until there is news, the time is over or the hub stops.
    async fn hold(self, app: &App) -> Option<Arc<Word>> {
        let Self { mut newest, have, refused } = self;
        let news = async {
            let told = newest.wait_for(|word| word.as_deref().is_some_and(|word| is_news(word, have, refused))).await;
            told.ok().and_then(|told| told.clone())
        };
        tokio::select! {
            biased;
            word = news => word,
            () = app.shutdown.cancelled() => None,
            () = tokio::time::sleep(app.hold) => newest.borrow().clone().filter(|word| Some(word.digest) != have),
        }
    }
}

/// Takes the agent's word for an epoch that this hub does not remember, when its own signature proves it.
async fn remember(app: &App, agent: &Agent, proof: Option<Signed>) -> Result<(), Failure> {
    let unproven = "this hub does not remember the epoch that the agent enforces: show its assignment (proof)";
    let proof = proof.ok_or(Error::Conflict(unproven.into()))?;
    let assignment = app.keys.verify_own::<Assignment>(&proof);
    let assignment = assignment.filter(|assignment| assignment.cluster == agent.cluster);
    let assignment =
        assignment.ok_or(Error::Conflict("the proof is not signed by this hub for this cluster".into()))?;
    let epoch = i64::try_from(assignment.epoch).unwrap_or(i64::MAX - 1);
    let mut tx = app.store.begin().await?;
    // What another hub told is known, only not yet here.
    let is_news = tx.save_proven_epoch(agent.cluster_id, epoch, proof.digest()).await?;
    tx.commit().await?;
    if !is_news {
        return Ok(());
    }
    let cluster = &agent.cluster;
    tracing::warn!(cluster.name = %cluster, epoch, "`{cluster}` proves epoch {epoch}, which this hub had forgotten: it goes on beyond it");
    app.want_round().await?;
    Ok(())
}

/// Whether the agent enforces what this hub does not remember, and would not go back from: a later epoch, or another
/// assignment of the same one.
fn is_forgotten(active: &Active, word: &Word) -> bool {
    active.epoch > word.epoch || active.epoch == word.epoch && active.assignment != word.digest
}

fn is_news(word: &Word, have: Option<Digest>, refused: Option<Digest>) -> bool {
    Some(word.digest) != have && Some(word.digest) != refused
}
