-- Violations: one policy objecting to one existing object (or to the pods of one workload), with a life. The id is a
-- hash of cluster, policy, namespace, kind and workload, so that a link stays when the violation is fixed and opens again.
-- Open means `fixed_at IS NULL`. What changes with every pass of audit (last_seen_at, sightings) is in no index.
CREATE TABLE violations (
    id              TEXT   NOT NULL PRIMARY KEY,
    cluster_id      BIGINT NOT NULL REFERENCES clusters (id),
    policy_id       BIGINT NOT NULL REFERENCES names (id),
    namespace_id    BIGINT NOT NULL REFERENCES names (id),   -- '' for cluster-scoped objects
    kind_id         BIGINT NOT NULL REFERENCES names (id),
    workload        TEXT   NOT NULL,                          -- the owner at the top as Kind/name, or the object itself
    -- what was last told of it
    code            TEXT   NOT NULL,
    severity        TEXT   NOT NULL,
    action          TEXT   NOT NULL,               -- deny | warn | dryrun: what admission would do
    because         TEXT   NOT NULL,
    exemption       TEXT   NOT NULL,               -- the exemption's name, or ''
    outcome         TEXT   NOT NULL,               -- fail | error
    message         TEXT   NOT NULL,
    object          TEXT   NOT NULL,               -- the name of the object, or of one of them
    object_uid      TEXT   NOT NULL,
    objects         BIGINT NOT NULL,               -- how many objects it is about
    revision_id     BIGINT NOT NULL REFERENCES names (id),   -- interned revision that judged last
    -- its life, by the agent's clock
    first_seen_at   BIGINT NOT NULL,               -- ever
    opened_at       BIGINT NOT NULL,               -- first sight, or when it opened again
    opened_revision_id BIGINT NOT NULL REFERENCES names (id), -- the revision that objected then
    last_seen_at    BIGINT NOT NULL,
    sightings       BIGINT NOT NULL,
    reopenings      BIGINT NOT NULL DEFAULT 0,
    fixed_at        BIGINT,
    fixed_reason    TEXT   NOT NULL DEFAULT '',    -- passes | gone | policy | unseen
    fixed_revision_id BIGINT REFERENCES names (id), -- what was enforced when it was fixed
    received_at     BIGINT NOT NULL                -- hub's clock at the last change
);
CREATE INDEX violations_open ON violations (opened_at, id) WHERE fixed_at IS NULL;
CREATE INDEX violations_open_by_cluster ON violations (cluster_id, opened_at, id) WHERE fixed_at IS NULL;
CREATE INDEX violations_open_by_namespace ON violations (namespace_id, opened_at, id) WHERE fixed_at IS NULL;
CREATE INDEX violations_open_by_policy ON violations (policy_id, opened_at, id) WHERE fixed_at IS NULL;
CREATE INDEX violations_fixed ON violations (fixed_at, id) WHERE fixed_at IS NOT NULL;

-- What happened in the life of a violation, append-only.
CREATE TABLE violation_events (
    violation_id    TEXT   NOT NULL,
    at              BIGINT NOT NULL,               -- agent's clock
    received_at     BIGINT NOT NULL,               -- hub's clock
    event           TEXT   NOT NULL,               -- opened | reopened | fixed
    reason          TEXT   NOT NULL DEFAULT '',    -- of fixed: passes | gone | policy | unseen
    revision_id     BIGINT NOT NULL,               -- interned revision
    PRIMARY KEY (violation_id, at, event)
);
CREATE INDEX violation_events_by_time ON violation_events (at, violation_id);

-- How the number of open violations changed on each day. Open at the end of a day is what is open now, less all later
-- days' opened, plus all later days' fixed; so no row is needed for a day on which nothing changed.
CREATE TABLE violation_days (
    day             BIGINT NOT NULL,               -- Unix days, agent's clock
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    policy_id       BIGINT NOT NULL,
    opened          BIGINT NOT NULL,               -- first sights and reopenings
    fixed           BIGINT NOT NULL,
    exempted        BIGINT NOT NULL,               -- net change of those that are open and exempted
    PRIMARY KEY (day, cluster_id, namespace_id, policy_id)
);
CREATE INDEX violation_days_by_policy ON violation_days (policy_id, day);
CREATE INDEX violation_days_by_namespace ON violation_days (namespace_id, day);

-- Per cluster: how many there are, and how many were told beyond the bound and not kept.
CREATE TABLE violation_totals (
    cluster_id      BIGINT NOT NULL PRIMARY KEY REFERENCES clusters (id),
    rows_kept       BIGINT NOT NULL DEFAULT 0,
    open            BIGINT NOT NULL DEFAULT 0,
    overflow        BIGINT NOT NULL DEFAULT 0
);

-- The newest full pass of each cluster.
CREATE TABLE audits (
    cluster_id      BIGINT NOT NULL PRIMARY KEY REFERENCES clusters (id),
    started_at      BIGINT NOT NULL,               -- agent's clock
    finished_at     BIGINT NOT NULL,
    received_at     BIGINT NOT NULL,
    revision_id     BIGINT NOT NULL REFERENCES names (id),
    objects         BIGINT NOT NULL,
    unseen          TEXT   NOT NULL,               -- JSON array of wire::UnseenKind
    closes          BIGINT NOT NULL                -- 0: it closed nothing, since reports were lost or the clock is wrong
);

-- When reports of this boot were last lost before they were stored: a pass that began before that is not whole.
ALTER TABLE cursors ADD COLUMN gap_at BIGINT NOT NULL DEFAULT 0;           -- agent's clock

-- Kinds that the newest pass of a cluster could not look at: their violations stay as they were.
CREATE TABLE audit_unseen_kinds (
    cluster_id      BIGINT NOT NULL,
    kind            TEXT   NOT NULL,
    PRIMARY KEY (cluster_id, kind)
);
