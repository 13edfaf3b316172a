-- One text for SQLite and PostgreSQL: BIGINT integers, Unix milliseconds in *_at, JSON as TEXT; ids are given by the
-- hub (the largest so far plus one, in the writing transaction). PostgreSQL reads BLOB as a domain over BYTEA.
-- Names that repeat (namespaces, policies, kinds, ...) are interned in `names`.

CREATE TABLE hub_settings (                  -- one row per setting: admin token hash, state of the source
    name            TEXT   NOT NULL PRIMARY KEY,
    value           TEXT   NOT NULL
);

CREATE TABLE names (
    id              BIGINT NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL UNIQUE
);

CREATE TABLE clusters (
    id              BIGINT NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL UNIQUE,
    labels          TEXT   NOT NULL,         -- JSON object, bound by the enrollment token
    enrolled_at     BIGINT NOT NULL,
    -- what the agent last said of itself (wire::AgentState)
    seen_at         BIGINT,
    agent_version   TEXT,
    boot            TEXT,
    started_at      BIGINT,
    active_digest   TEXT,                    -- digest of the assignment it enforces
    active_epoch    BIGINT,
    active_revision TEXT,
    active_at       BIGINT,
    refused_digest  TEXT,
    refused_reason  TEXT,
    refused_at      BIGINT,
    load_errors     TEXT   NOT NULL DEFAULT '[]',  -- JSON array of wire::LoadError
    spooled         BIGINT NOT NULL DEFAULT 0,
    dropped         BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE enrollment_tokens (
    token_hash      TEXT   NOT NULL PRIMARY KEY,   -- SHA-256 of the secret
    cluster         TEXT   NOT NULL,
    labels          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT
);

CREATE TABLE agents (
    id              TEXT   NOT NULL PRIMARY KEY,   -- UUIDv7
    cluster_id      BIGINT NOT NULL REFERENCES clusters (id),
    credential_hash TEXT   NOT NULL UNIQUE,        -- SHA-256 of a 256-bit random credential
    enrolled_at     BIGINT NOT NULL,
    revoked_at      BIGINT
);

CREATE TABLE revisions (
    id              BIGINT NOT NULL PRIMARY KEY,
    revision        TEXT   NOT NULL UNIQUE,        -- full commit id
    author          TEXT   NOT NULL,
    message         TEXT   NOT NULL,
    committed_at    BIGINT NOT NULL,
    seen_at         BIGINT NOT NULL,               -- when the hub first saw it
    published_at    BIGINT,                        -- when it was first served; NULL: never
    served_at       BIGINT,                        -- when it last became what the hub serves; the newest is served
    state           TEXT   NOT NULL,               -- served | refused | superseded (a later commit came before it was built)
    diagnostics     TEXT   NOT NULL,               -- JSON array of Diagnostic
    policies        BIGINT NOT NULL DEFAULT 0,
    fleet           TEXT   NOT NULL DEFAULT '{}',  -- JSON of Fleet, from fleet.yaml
    index_digest    TEXT,
    statement       TEXT                           -- JSON of Signed, the bundle statement
);

-- The policies of a served revision, as pages and CLI show them.
CREATE TABLE revision_policies (
    revision_id     BIGINT NOT NULL REFERENCES revisions (id),
    policy_id       BIGINT NOT NULL REFERENCES names (id),  -- policy name
    code            TEXT   NOT NULL,
    title           TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    severity        TEXT   NOT NULL,
    dialect         TEXT   NOT NULL,
    kinds           TEXT   NOT NULL,               -- JSON array of text
    path            TEXT   NOT NULL,
    page            TEXT   NOT NULL DEFAULT '',    -- Markdown from docs/<CODE>.md of the repository
    PRIMARY KEY (revision_id, policy_id)
);

CREATE TABLE blobs (
    digest          TEXT   NOT NULL PRIMARY KEY,   -- SHA-256 of the plain content
    content         BLOB   NOT NULL,               -- gzip
    created_at      BIGINT NOT NULL
);

-- What each cluster was told, by epoch; the newest epoch of a cluster is what it should enforce.
CREATE TABLE assignments (
    cluster_id      BIGINT NOT NULL REFERENCES clusters (id),
    epoch           BIGINT NOT NULL,
    digest          TEXT   NOT NULL,
    revision_id     BIGINT NOT NULL REFERENCES revisions (id),
    deny_level      TEXT   NOT NULL,
    statement       TEXT   NOT NULL,               -- JSON of Signed
    issued_at       BIGINT NOT NULL,
    -- the agent's acknowledgement, the proof (wire::Active)
    fetched_at      BIGINT,
    verified_at     BIGINT,
    active_at       BIGINT,
    acknowledged_at BIGINT,
    PRIMARY KEY (cluster_id, epoch)
);
CREATE INDEX assignments_by_digest ON assignments (cluster_id, digest);
CREATE INDEX assignments_by_revision ON assignments (revision_id, cluster_id);

CREATE TABLE cursors (
    agent_id        TEXT   NOT NULL REFERENCES agents (id),
    boot            TEXT   NOT NULL,
    sequence        BIGINT NOT NULL,
    received_at     BIGINT NOT NULL,
    dropped         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (agent_id, boot)
);

CREATE TABLE failures (
    id              TEXT   NOT NULL PRIMARY KEY,   -- UUIDv7 made by the agent
    at              BIGINT NOT NULL,               -- agent's clock
    received_at     BIGINT NOT NULL,               -- hub's clock
    cluster_id      BIGINT NOT NULL REFERENCES clusters (id),
    namespace_id    BIGINT NOT NULL REFERENCES names (id),   -- '' for cluster-scoped objects
    policy_id       BIGINT NOT NULL REFERENCES names (id),
    code            TEXT   NOT NULL,
    severity        TEXT   NOT NULL,
    action          TEXT   NOT NULL,               -- deny | warn | dryrun
    outcome         TEXT   NOT NULL,               -- fail | error
    message         TEXT   NOT NULL,
    kind_id         BIGINT NOT NULL REFERENCES names (id),
    object          TEXT   NOT NULL,               -- the object's name
    object_uid      TEXT   NOT NULL,
    workload        TEXT   NOT NULL,
    operation       TEXT   NOT NULL,
    requester       TEXT   NOT NULL,               -- the user
    review          TEXT   NOT NULL,
    revision_id     BIGINT NOT NULL REFERENCES names (id)    -- interned revision text
);
CREATE INDEX failures_by_time ON failures (at, id);
CREATE INDEX failures_by_policy ON failures (policy_id, at, id);
CREATE INDEX failures_by_namespace ON failures (namespace_id, at, id);
CREATE INDEX failures_by_cluster ON failures (cluster_id, at, id);

CREATE TABLE policy_minutes (
    minute          BIGINT NOT NULL,               -- Unix minutes
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    policy_id       BIGINT NOT NULL,
    passes          BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    denials         BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    micros          BIGINT NOT NULL,
    PRIMARY KEY (minute, cluster_id, namespace_id, policy_id)
);
CREATE INDEX policy_minutes_by_policy ON policy_minutes (policy_id, minute);
CREATE INDEX policy_minutes_by_namespace ON policy_minutes (namespace_id, minute);

CREATE TABLE review_minutes (
    minute          BIGINT NOT NULL,
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    reviews         BIGINT NOT NULL,
    failing         BIGINT NOT NULL,
    denied          BIGINT NOT NULL,
    PRIMARY KEY (minute, cluster_id, namespace_id)
);
