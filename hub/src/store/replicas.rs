//! Replicas of a cluster's agent, and what they say together: the cluster's row is the word of the replica that is
//! furthest behind among those heard lately.

use super::Tx;
use super::bulk::{Update, Upsert, Value};
use super::revisions::json;
use crate::heartbeat::Later;
use std::collections::{BTreeSet, HashMap, HashSet};
use writ_policy::BreakGlass;
use writ_policy::wire::{Active, LoadError, Refused};

const SAVE: Upsert<'static> = Upsert {
    into: "INSERT INTO replicas (cluster_id, replica, boot, agent_version, started_at, seen_at, spooled, dropped,
        active_digest, active_epoch, active_revision, active_at, refused_digest, refused_reason, refused_at,
        load_errors, certificate_expires_at, untold)",
    on_conflict: "ON CONFLICT (cluster_id, replica) DO UPDATE SET boot = excluded.boot,
        agent_version = excluded.agent_version, started_at = excluded.started_at, seen_at = excluded.seen_at,
        spooled = excluded.spooled, dropped = excluded.dropped, active_digest = excluded.active_digest,
        active_epoch = excluded.active_epoch, active_revision = excluded.active_revision,
        active_at = excluded.active_at, refused_digest = excluded.refused_digest,
        refused_reason = excluded.refused_reason, refused_at = excluded.refused_at,
        load_errors = excluded.load_errors, certificate_expires_at = excluded.certificate_expires_at,
        untold = excluded.untold",
};
const SEEN: Update = Update {
    before: "UPDATE replicas SET seen_at = news.column3, spooled = news.column4, dropped = news.column5,
        untold = news.column10 FROM ",
    after: " AS news WHERE replicas.cluster_id = news.column1 AND replicas.replica = news.column2
        AND replicas.boot = news.column6 AND COALESCE(replicas.active_digest, '') = news.column7
        AND COALESCE(replicas.refused_at, 0) = news.column8 AND replicas.load_errors = news.column9
        RETURNING replicas.cluster_id, replicas.replica",
};
const FORGET: &str = "DELETE FROM replicas WHERE cluster_id = $1 AND replica = $2";
const FORGET_OLD: &str = "DELETE FROM replicas WHERE seen_at < $1";
const FORGET_ALL: &str = "DELETE FROM replicas WHERE cluster_id = $1";

/// Who enforces nothing is furthest behind, then who enforces the oldest epoch.
const SUM_UP: Update = Update {
    before: "UPDATE clusters SET boot = worst.boot, agent_version = worst.agent_version,
        started_at = worst.started_at, active_digest = worst.active_digest, active_epoch = worst.active_epoch,
        active_revision = worst.active_revision, active_at = worst.active_at,
        refused_digest = worst.refused_digest, refused_reason = worst.refused_reason, refused_at = worst.refused_at,
        load_errors = worst.load_errors, seen_at = worst.all_seen_at, spooled = worst.all_spooled,
        dropped = worst.all_dropped, untold = worst.all_untold, replicas = worst.all_replicas,
        certificate_expires_at = worst.all_expire_at
    FROM (SELECT replicas.*,
            ROW_NUMBER() OVER (PARTITION BY replicas.cluster_id
                ORDER BY COALESCE(active_epoch, -1), active_at DESC, replica) AS place,
            MAX(seen_at) OVER (PARTITION BY replicas.cluster_id) AS all_seen_at,
            CAST(SUM(spooled) OVER (PARTITION BY replicas.cluster_id) AS BIGINT) AS all_spooled,
            CAST(SUM(dropped) OVER (PARTITION BY replicas.cluster_id) AS BIGINT) AS all_dropped,
            CAST(SUM(untold) OVER (PARTITION BY replicas.cluster_id) AS BIGINT) AS all_untold,
            COUNT(*) OVER (PARTITION BY replicas.cluster_id) AS all_replicas,
            MIN(certificate_expires_at) OVER (PARTITION BY replicas.cluster_id) AS all_expire_at
        FROM replicas JOIN ",
    after: " AS news ON replicas.cluster_id = news.column1 AND replicas.seen_at > news.column2) AS worst
    WHERE clusters.id = worst.cluster_id AND worst.place = 1
    RETURNING clusters.id, COALESCE(clusters.active_digest, '')",
};

/// What a replica says of itself, but for what changes with every request.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// Which of the cluster's replicas.
    pub replica: String,
    /// The agent's version.
    pub version: String,
    /// Made anew at each start.
    pub boot: String,
    /// When it started.
    pub started_at: i64,
    /// What it enforces.
    pub active: Option<Active>,
    /// What it refused last.
    pub refused: Option<Refused>,
    /// Policies that it could not load.
    pub load_errors: Vec<LoadError>,
    /// When the webhook's certificate ends.
    pub certificate_expires_at: Option<i64>,
    /// What namespaces suspended themselves.
    pub break_glass: Vec<BreakGlass>,
}

impl Tx {
    /// Keeps what replicas say of themselves; each is named once.
    pub async fn save_replicas(&mut self, said: &[(i64, &Heartbeat, Later)]) -> sqlx::Result<()> {
        self.upsert(SAVE, &said.iter().map(|(cluster, said, later)| row(*cluster, said, *later)).collect::<Vec<_>>())
            .await
    }

    /// Keeps that replicas were heard, and nothing else changed since they said this. Those of whom that is so: of
    /// others another hub knows better.
    pub async fn save_seen(&mut self, said: &[(i64, Heartbeat, Later)]) -> sqlx::Result<HashSet<(i64, String)>> {
        let rows = said.iter().map(|(cluster, said, later)| {
            [
                (*cluster).into(),
                said.replica.as_str().into(),
                later.seen_at.into(),
                later.spooled.into(),
                later.dropped.into(),
                said.boot.as_str().into(),
                said.active.as_ref().map_or_else(String::new, |active| active.assignment.to_string()).into(),
                said.refused.as_ref().map_or(0, |refused| refused.at).into(),
                json(&said.load_errors).into(),
                later.untold.into(),
            ]
        });
        Ok(self.update(SEEN, &rows.collect::<Vec<_>>()).await?.into_iter().collect())
    }

    /// A replica that stops has nothing to say any more.
    pub async fn forget_replica(&mut self, cluster: i64, replica: &str) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET).bind(cluster).bind(replica).execute(connection).await.map(drop))
    }

    /// Replicas that were not heard since then are gone.
    pub async fn forget_replicas_before(&mut self, at: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET_OLD).bind(at).execute(connection).await.map(drop))
    }

    /// A cluster that enrolls anew has other replicas.
    pub async fn forget_replicas(&mut self, cluster: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET_ALL).bind(cluster).execute(connection).await.map(drop))
    }

    /// Makes the rows of these clusters what their replicas heard after `since` say together. By cluster the digest of
    /// the assignment that all of them have reached; a row without such replicas stays as it was.
    pub async fn sum_up_replicas(
        &mut self,
        clusters: &BTreeSet<i64>,
        since: i64,
    ) -> sqlx::Result<HashMap<i64, String>> {
        let rows: Vec<_> = clusters.iter().map(|cluster| [(*cluster).into(), since.into()]).collect();
        Ok(self.update(SUM_UP, &rows).await?.into_iter().collect())
    }
}

fn row(cluster: i64, said: &Heartbeat, later: Later) -> [Value<'_>; 18] {
    let (active, refused) = (said.active.as_ref(), said.refused.as_ref());
    [
        cluster.into(),
        said.replica.as_str().into(),
        said.boot.as_str().into(),
        said.version.as_str().into(),
        said.started_at.into(),
        later.seen_at.into(),
        later.spooled.into(),
        later.dropped.into(),
        active.map(|active| active.assignment.to_string()).into(),
        active.map(|active| i64::try_from(active.epoch).unwrap_or(i64::MAX)).into(),
        active.map(|active| active.revision.as_str()).into(),
        active.map(|active| active.active_at).into(),
        refused.map(|refused| refused.assignment.to_string()).into(),
        refused.map(|refused| refused.reason.as_str()).into(),
        refused.map(|refused| refused.at).into(),
        json(&said.load_errors).into(),
        said.certificate_expires_at.into(),
        later.untold.into(),
    ]
}
