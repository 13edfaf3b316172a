//! The leader among hubs that share a database: it follows the source, assigns, keeps partitions and
//! deletes what is old. The others serve agents and people all the same and ask once a second whether they lead. A hub
//! that is alone leads always.

use crate::app::App;
use crate::retention::{self, Keeping};
use crate::source::Follower;
use crate::store::Election;
use crate::{assign, partitions};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a hub asks to lead, and a leader whether it still does.
const INTERVAL: Duration = Duration::from_secs(1);

/// Leads whenever it may, until told to stop.
pub async fn run(
    app: App,
    mut follower: Follower,
    (poll, keeping): (Duration, Keeping),
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut election = Election::new(app.store.clone(), uuid::Uuid::now_v7().to_string());
    loop {
        let Some(term) = until_it_leads(&app, &mut election, &shutdown).await else { return Ok(()) };
        app.lead.begin(term);
        let work = async {
            tokio::try_join!(
                follower.run(poll, shutdown.clone()),
                assign::run(app.clone(), shutdown.clone()),
                partitions::run(app.clone(), shutdown.clone()),
                retention::run(app.clone(), keeping, shutdown.clone()),
            )
        };
        // What is left undone the next leader does; what was begun is written only while the term lasts.
        let ended = tokio::select! {
            ended = work => Some(ended),
            () = until_it_is_lost(&app, &mut election, term) => None,
        };
        app.lead.end();
        if let Some(ended) = ended {
            return ended.map(drop);
        }
        tracing::warn!(term, "this hub leads no more");
    }
}

async fn until_it_leads(app: &App, election: &mut Election, shutdown: &CancellationToken) -> Option<i64> {
    let mut works = true;
    loop {
        match stand(app, election).await {
            Ok(Some(term)) => {
                if app.store.is_shared() {
                    tracing::info!(term, "this hub leads: it follows the source and tells clusters what to enforce");
                }
                return Some(term);
            }
            Ok(None) => works = true,
            Err(error) => {
                if std::mem::replace(&mut works, false) {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "the database cannot be asked who leads; clusters keep what they have");
                }
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return None,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Asks to lead. A hub whose key announced another one does not: agents follow the new key, and no word of the former.
async fn stand(app: &App, election: &mut Election) -> anyhow::Result<Option<i64>> {
    if !app.keys.are_of(&app.store).await? {
        election.resign();
        return Ok(None);
    }
    Ok(election.stand(app.now()).await?)
}

async fn holds(app: &App, election: &mut Election, term: i64) -> anyhow::Result<bool> {
    if app.keys.are_of(&app.store).await? {
        return Ok(election.holds(term).await?);
    }
    tracing::warn!("the hubs sign with another key from now on: give this hub that key and start it again");
    election.resign();
    Ok(false)
}

async fn until_it_is_lost(app: &App, election: &mut Election, term: i64) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        match holds(app, election, term).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let error = format!("{error:#}");
                return tracing::warn!(error, term, "the leader cannot reach the database");
            }
        }
    }
}
