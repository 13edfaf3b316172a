-- How each revision went from wave to wave. The newest row is the rollout of what is served.
CREATE TABLE rollouts (
    id              BIGINT NOT NULL PRIMARY KEY,
    revision_id     BIGINT NOT NULL REFERENCES revisions (id),
    served_at       BIGINT NOT NULL,               -- as in revisions: one that is served again is rolled out again
    phase           TEXT   NOT NULL,               -- rolling | halted | done | superseded
    wave            BIGINT NOT NULL,               -- from 0, as in the revision's fleet
    wave_since      BIGINT NOT NULL,
    soak_since      BIGINT,                        -- since when all of the wave that are heard enforce it
    urgent          BIGINT NOT NULL,
    tolerated       TEXT   NOT NULL,               -- JSON array of cluster ids whose failing was accepted
    accepted        TEXT   NOT NULL,               -- JSON array of policies whose rise was accepted
    began_at        BIGINT NOT NULL,
    ended_at        BIGINT
);
CREATE INDEX rollouts_by_revision ON rollouts (revision_id, served_at);

-- What happened, and why: the record, never changed.
CREATE TABLE rollout_events (
    id              BIGINT NOT NULL PRIMARY KEY,
    rollout_id      BIGINT NOT NULL REFERENCES rollouts (id),
    at              BIGINT NOT NULL,
    kind            TEXT   NOT NULL,               -- began | reached | advanced | halted | resumed | skipped | hurried | done | superseded | pinned | unpinned
    wave            TEXT   NOT NULL,               -- its name; the cluster's for pins
    reason          TEXT   NOT NULL,
    ordered_by      TEXT   NOT NULL                -- who says that they ordered it; empty when nobody did
);
CREATE INDEX rollout_events_by_rollout ON rollout_events (rollout_id, id);

-- What people ordered. The hub that leads obeys, in this order.
CREATE TABLE rollout_orders (
    id              BIGINT NOT NULL PRIMARY KEY,
    at              BIGINT NOT NULL,
    kind            TEXT   NOT NULL,               -- halt | resume | skip | urgent | pin | unpin
    cluster_id      BIGINT,
    revision_id     BIGINT,
    reason          TEXT   NOT NULL,
    ordered_by      TEXT   NOT NULL,
    taken_at        BIGINT
);
CREATE INDEX rollout_orders_waiting ON rollout_orders (taken_at, id);

-- Clusters that stay at a revision whatever is rolled out.
CREATE TABLE rollout_pins (
    cluster_id      BIGINT NOT NULL PRIMARY KEY REFERENCES clusters (id),
    revision_id     BIGINT NOT NULL REFERENCES revisions (id),
    reason          TEXT   NOT NULL,
    ordered_by      TEXT   NOT NULL,
    at              BIGINT NOT NULL
);

-- The highest epoch that the hub's own signature, shown by the agent, proves: a hub restored from a backup goes beyond it.
ALTER TABLE clusters ADD COLUMN proven_epoch BIGINT NOT NULL DEFAULT 0;
