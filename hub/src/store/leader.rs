//! Who of the hubs on one database leads, and what the leader writes. A hub that is alone leads always.

use super::{Store, Tx, postgres};
use sqlx::PgConnection;
use std::time::Duration;

/// Held until the transaction ends, so that nobody begins a term between the look and what is then written.
const TERM: &str = "SELECT term FROM hub_leader WHERE id = 1 FOR SHARE";
/// How long a leader waits for the database to say that it still leads.
const PATIENCE: Duration = Duration::from_secs(3);

/// A hub's part in the election.
#[derive(Debug)]
pub struct Election {
    store: Store,
    hub: String,
    /// The session that holds the lock, or asks for it.
    session: Option<PgConnection>,
}

impl Election {
    /// Nothing is asked yet.
    pub fn new(store: Store, hub: String) -> Self {
        Self { store, hub, session: None }
    }

    /// Asks to lead: the term when this hub does from now on.
    pub async fn stand(&mut self, now: i64) -> sqlx::Result<Option<i64>> {
        let Store::Postgres { writer, .. } = &self.store else { return Ok(Some(0)) };
        let mut session = match self.session.take() {
            Some(session) => session,
            None => postgres::leader::session(writer).await?,
        };
        let term = in_time(postgres::leader::stand(&mut session, &self.hub, now)).await?;
        self.session = Some(session);
        Ok(term)
    }

    /// Gives up whatever it has: another hub may lead.
    pub fn resign(&mut self) {
        self.session = None;
    }

    /// Whether this hub still leads. After an error it does not: the session, and the lock with it, is given up.
    pub async fn holds(&mut self, term: i64) -> sqlx::Result<bool> {
        if matches!(self.store, Store::Sqlite { .. }) {
            return Ok(true);
        }
        let Some(mut session) = self.session.take() else { return Ok(false) };
        let current = in_time(postgres::leader::term(&mut session)).await?;
        if current == term {
            self.session = Some(session);
        }
        Ok(current == term)
    }
}

async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

impl Store {
    /// Begins what only the leader writes; nothing when another hub leads since.
    pub async fn begin_term(&self, term: i64) -> sqlx::Result<Option<Tx>> {
        let mut tx = self.begin().await?;
        let Tx::Postgres(transaction) = &mut tx else { return Ok(Some(tx)) };
        let current: i64 = sqlx::query_scalar(TERM).fetch_one(&mut **transaction).await?;
        Ok((current == term).then_some(tx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;

    #[tokio::test]
    async fn one_of_two_leads_and_the_other_when_it_is_gone() {
        let Some(fresh) = Fresh::postgres("one_of_two_leads_and_the_other_when_it_is_gone").await else { return };
        let mut first = Election::new(fresh.store.clone(), "first".into());
        let mut second = Election::new(fresh.store.clone(), "second".into());
        assert_eq!(first.stand(0).await.unwrap(), Some(1));
        assert_eq!(second.stand(0).await.unwrap(), None);
        assert!(first.holds(1).await.unwrap());
        drop(first);
        let term = loop {
            // The server notices the end of a session within moments.
            match second.stand(0).await.unwrap() {
                Some(term) => break term,
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!(term, 2);
    }

    #[tokio::test]
    async fn former_leader_that_was_paused_writes_nothing() {
        let Some(fresh) = Fresh::postgres("former_leader_that_was_paused_writes_nothing").await else { return };
        let mut election = Election::new(fresh.store.clone(), "first".into());
        let term = election.stand(0).await.unwrap().unwrap();
        assert!(fresh.store.begin_term(term).await.unwrap().is_some());
        drop(election);
        let mut other = Election::new(fresh.store.clone(), "second".into());
        while other.stand(0).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(fresh.store.begin_term(term).await.unwrap().is_none());
        assert!(!other.holds(term).await.unwrap());
    }
}
