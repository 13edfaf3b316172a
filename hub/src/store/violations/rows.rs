//! Rows of violations and what goes with them: read by id, written back in three ways (new, only seen again, changed
//! in its life), because what is only seen again touches no index.

use super::life::Life;
use super::{DayKey, DaySums, Event};
use crate::store::bulk::{Upsert, Value, pieces};
use crate::store::names::Names;
use crate::store::reports::namespace;
use crate::store::{Tx, placeholders};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;
use writ_policy::wire::Violation;

const FIND: &str = "
    SELECT id, cluster_id, policy_id, namespace_id, kind_id, workload, code, severity, action, because, exemption, outcome,
        message, object, object_uid, objects, revision_id, first_seen_at, opened_at, opened_revision_id, last_seen_at,
        sightings, reopenings, fixed_at, fixed_reason, fixed_revision_id
    FROM violations WHERE id IN ";
const INTO: &str = "
    INSERT INTO violations (id, cluster_id, policy_id, namespace_id, kind_id, workload, code, severity, action, because,
        exemption, outcome, message, object, object_uid, objects, revision_id, first_seen_at, opened_at,
        opened_revision_id, last_seen_at, sightings, reopenings, fixed_at, fixed_reason, fixed_revision_id, received_at)";
const SEEN_AGAIN: Upsert<'static> = Upsert {
    into: INTO,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET code = excluded.code, severity = excluded.severity,
        action = excluded.action, because = excluded.because, exemption = excluded.exemption, outcome = excluded.outcome,
        message = excluded.message, object = excluded.object, object_uid = excluded.object_uid,
        objects = excluded.objects, revision_id = excluded.revision_id, first_seen_at = excluded.first_seen_at,
        last_seen_at = excluded.last_seen_at, sightings = excluded.sightings, received_at = excluded.received_at",
};
const CHANGED: Upsert<'static> = Upsert {
    into: INTO,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET code = excluded.code, severity = excluded.severity,
        action = excluded.action, because = excluded.because, exemption = excluded.exemption, outcome = excluded.outcome,
        message = excluded.message, object = excluded.object, object_uid = excluded.object_uid,
        objects = excluded.objects, revision_id = excluded.revision_id, first_seen_at = excluded.first_seen_at,
        last_seen_at = excluded.last_seen_at, sightings = excluded.sightings, received_at = excluded.received_at,
        opened_at = excluded.opened_at, opened_revision_id = excluded.opened_revision_id,
        reopenings = excluded.reopenings, fixed_at = excluded.fixed_at, fixed_reason = excluded.fixed_reason,
        fixed_revision_id = excluded.fixed_revision_id",
};
const EVENTS: Upsert<'static> = Upsert {
    into: "INSERT INTO violation_events (violation_id, at, received_at, event, reason, revision_id)",
    on_conflict: "ON CONFLICT (violation_id, at, event) DO NOTHING",
};
const DAYS: Upsert<'static> = Upsert {
    into: "INSERT INTO violation_days (day, cluster_id, namespace_id, policy_id, opened, fixed, exempted)",
    on_conflict: "ON CONFLICT (day, cluster_id, namespace_id, policy_id) DO UPDATE SET
        opened = violation_days.opened + excluded.opened, fixed = violation_days.fixed + excluded.fixed,
        exempted = violation_days.exempted + excluded.exempted",
};
const FIND_TOTALS: &str = "SELECT cluster_id, rows_kept, open, overflow FROM violation_totals WHERE cluster_id = $1";
const SAVE_TOTALS: Upsert<'static> = Upsert {
    into: "INSERT INTO violation_totals (cluster_id, rows_kept, open, overflow)",
    on_conflict: "ON CONFLICT (cluster_id) DO UPDATE SET rows_kept = excluded.rows_kept, open = excluded.open,
        overflow = excluded.overflow",
};

/// One violation while it is worked on.
pub(super) struct Row<'r> {
    cluster: i64,
    policy: i64,
    namespace: i64,
    kind: i64,
    workload: Cow<'r, str>,
    told: Told<'r>,
    pub(super) life: Life,
    /// As it was read; a row without it is new.
    stored: Option<Life>,
}

/// What was last told of it.
struct Told<'r> {
    code: Cow<'r, str>,
    severity: Cow<'r, str>,
    action: Cow<'r, str>,
    because: Cow<'r, str>,
    exemption: Cow<'r, str>,
    outcome: Cow<'r, str>,
    message: Cow<'r, str>,
    object: Cow<'r, str>,
    uid: Cow<'r, str>,
    objects: i64,
    revision: i64,
}

impl<'r> Row<'r> {
    /// A violation that nobody told of before.
    pub(super) fn first(cluster: i64, violation: &'r Violation, names: &Names) -> Self {
        let (key, revision) = (&violation.key, names.id(violation.revision.as_str()));
        Self {
            cluster,
            policy: names.id(key.policy.as_str()),
            namespace: names.id(namespace(&key.namespace)),
            kind: names.id(&key.kind),
            workload: Cow::Borrowed(&key.workload),
            told: Told::of(violation, revision),
            life: Life::first(violation.at, violation.exemption.is_some(), revision),
            stored: None,
        }
    }

    /// Takes over what is told of it, unless something later is known. The life was told before.
    pub(super) fn told(&mut self, violation: &'r Violation, revision: i64) {
        if violation.at >= self.life.last_seen_at {
            self.told = Told::of(violation, revision);
        }
    }

    /// Cluster, namespace and policy.
    pub(super) fn place(&self) -> (i64, i64, i64) {
        (self.cluster, self.namespace, self.policy)
    }

    /// Whether something of it changed that indexes hold.
    fn is_changed(&self) -> bool {
        self.stored
            .as_ref()
            .is_none_or(|stored| (stored.opened_at, stored.fixed_at) != (self.life.opened_at, self.life.fixed_at))
    }

    fn values(&self, id: Uuid, now: i64) -> [Value<'_>; 27] {
        let Self { told, life, .. } = self;
        [
            id.to_string().into(),
            self.cluster.into(),
            self.policy.into(),
            self.namespace.into(),
            self.kind.into(),
            self.workload.as_ref().into(),
            told.code.as_ref().into(),
            told.severity.as_ref().into(),
            told.action.as_ref().into(),
            told.because.as_ref().into(),
            told.exemption.as_ref().into(),
            told.outcome.as_ref().into(),
            told.message.as_ref().into(),
            told.object.as_ref().into(),
            told.uid.as_ref().into(),
            told.objects.into(),
            told.revision.into(),
            life.first_seen_at.into(),
            life.opened_at.into(),
            life.opened_revision.into(),
            life.last_seen_at.into(),
            life.sightings.into(),
            life.reopenings.into(),
            life.fixed_at.into(),
            life.fixed_reason.as_str().into(),
            life.fixed_revision.into(),
            now.into(),
        ]
    }
}

impl<'r> Told<'r> {
    fn of(violation: &'r Violation, revision: i64) -> Self {
        Self {
            code: Cow::Borrowed(violation.code.as_str()),
            severity: Cow::Borrowed(violation.severity.map_or("", |severity| severity.as_str())),
            action: Cow::Borrowed(violation.action.as_str()),
            because: Cow::Borrowed(&violation.because),
            exemption: Cow::Borrowed(violation.exemption.as_deref().unwrap_or_default()),
            outcome: Cow::Borrowed(violation.outcome.as_str()),
            message: Cow::Borrowed(&violation.message),
            object: Cow::Borrowed(&violation.name),
            uid: Cow::Borrowed(&violation.uid),
            objects: i64::try_from(violation.objects).unwrap_or(i64::MAX),
            revision,
        }
    }
}

/// A row as it is read: names of the columns are its fields'.
#[derive(sqlx::FromRow)]
struct Read {
    id: String,
    cluster_id: i64,
    policy_id: i64,
    namespace_id: i64,
    kind_id: i64,
    workload: String,
    code: String,
    severity: String,
    action: String,
    because: String,
    exemption: String,
    outcome: String,
    message: String,
    object: String,
    object_uid: String,
    objects: i64,
    revision_id: i64,
    first_seen_at: i64,
    opened_at: i64,
    opened_revision_id: i64,
    last_seen_at: i64,
    sightings: i64,
    reopenings: i64,
    fixed_at: Option<i64>,
    fixed_reason: String,
    fixed_revision_id: Option<i64>,
}

impl From<Read> for Row<'static> {
    fn from(read: Read) -> Self {
        let life = Life {
            first_seen_at: read.first_seen_at,
            opened_at: read.opened_at,
            opened_revision: read.opened_revision_id,
            last_seen_at: read.last_seen_at,
            sightings: read.sightings,
            reopenings: read.reopenings,
            fixed_at: read.fixed_at,
            fixed_reason: read.fixed_reason,
            fixed_revision: read.fixed_revision_id,
            exempted: !read.exemption.is_empty(),
        };
        let told = Told {
            code: read.code.into(),
            severity: read.severity.into(),
            action: read.action.into(),
            because: read.because.into(),
            exemption: read.exemption.into(),
            outcome: read.outcome.into(),
            message: read.message.into(),
            object: read.object.into(),
            uid: read.object_uid.into(),
            objects: read.objects,
            revision: read.revision_id,
        };
        let (cluster, policy, namespace, kind) = (read.cluster_id, read.policy_id, read.namespace_id, read.kind_id);
        let (workload, stored) = (read.workload.into(), Some(life.clone()));
        Self { cluster, policy, namespace, kind, workload, told, life, stored }
    }
}

/// How many violations of a cluster there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) kept: i64,
    pub(super) open: i64,
    pub(super) overflow: i64,
    pub(super) changed: bool,
}

impl Tx {
    pub(super) async fn violation_rows<'r>(&mut self, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Row<'r>>> {
        let mut rows = HashMap::with_capacity(ids.len());
        for piece in pieces(ids, usize::MAX) {
            let text = [FIND, &placeholders(1, piece.len())].concat();
            let read: Vec<Read> = on!(tx self, |connection| {
                let query = sqlx::query_as(sqlx::AssertSqlSafe(text));
                piece.iter().fold(query, |query, id| query.bind(id.to_string())).fetch_all(connection).await
            })?;
            for read in read {
                rows.insert(crate::store::valid(read.id.parse())?, Row::from(read));
            }
        }
        Ok(rows)
    }

    pub(super) async fn violation_totals(&mut self, clusters: BTreeSet<i64>) -> sqlx::Result<BTreeMap<i64, Totals>> {
        let mut totals = BTreeMap::new();
        for cluster in clusters {
            let row: Option<(i64, i64, i64, i64)> =
                on!(tx self, |connection| sqlx::query_as(FIND_TOTALS).bind(cluster).fetch_optional(connection).await)?;
            let (_, kept, open, overflow) = row.unwrap_or_default();
            totals.insert(cluster, Totals { kept, open, overflow, changed: false });
        }
        Ok(totals)
    }

    pub(super) async fn save_violation_rows(&mut self, rows: HashMap<Uuid, Row<'_>>, now: i64) -> sqlx::Result<()> {
        let (mut changed, mut seen_again) = (vec![], vec![]);
        let mut rows: Vec<(Uuid, Row<'_>)> = rows.into_iter().collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
        for (id, row) in &rows {
            match row.is_changed() {
                true => changed.push(row.values(*id, now)),
                false if row.stored.as_ref() != Some(&row.life) => seen_again.push(row.values(*id, now)),
                false => {}
            }
        }
        self.upsert(CHANGED, &changed).await?;
        self.upsert(SEEN_AGAIN, &seen_again).await
    }

    pub(super) async fn save_violation_events(&mut self, events: &[Event], now: i64) -> sqlx::Result<()> {
        let rows = events.iter().map(|event| {
            let Event { violation, at, change, reason, revision } = event;
            [
                violation.to_string().into(),
                Value::Int(*at),
                now.into(),
                change.as_str().into(),
                (*reason).into(),
                (*revision).into(),
            ]
        });
        self.upsert(EVENTS, &rows.collect::<Vec<_>>()).await
    }

    pub(super) async fn add_violation_days(&mut self, days: &BTreeMap<DayKey, DaySums>) -> sqlx::Result<()> {
        let rows = days.iter().map(|((day, cluster, namespace, policy), [opened, fixed, exempted])| {
            [*day, *cluster, *namespace, *policy, *opened, *fixed, *exempted].map(Value::Int)
        });
        self.upsert(DAYS, &rows.collect::<Vec<_>>()).await
    }

    pub(super) async fn save_violation_totals(&mut self, totals: &BTreeMap<i64, Totals>) -> sqlx::Result<()> {
        let changed = totals.iter().filter(|(_, totals)| totals.changed);
        let rows =
            changed.map(|(cluster, totals)| [*cluster, totals.kept, totals.open, totals.overflow].map(Value::Int));
        self.upsert(SAVE_TOTALS, &rows.collect::<Vec<_>>()).await
    }
}
