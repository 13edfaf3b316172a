-- What each replica of a cluster's agent last said of itself. The row of the cluster is what its worst replica says that was
-- heard lately, so that several do not flap, and a cluster counts as enforcing only when all of them do.
CREATE TABLE replicas (
    cluster_id             BIGINT NOT NULL REFERENCES clusters (id),
    replica                TEXT   NOT NULL,      -- its name within the cluster, '' for the only one
    boot                   TEXT   NOT NULL,
    agent_version          TEXT   NOT NULL,
    started_at             BIGINT NOT NULL,
    seen_at                BIGINT NOT NULL,
    active_digest          TEXT,
    active_epoch           BIGINT,
    active_revision        TEXT,
    active_at              BIGINT,
    refused_digest         TEXT,
    refused_reason         TEXT,
    refused_at             BIGINT,
    load_errors            TEXT   NOT NULL,      -- JSON array of wire::LoadError
    spooled                BIGINT NOT NULL,
    dropped                BIGINT NOT NULL,
    certificate_expires_at BIGINT,
    PRIMARY KEY (cluster_id, replica)
);
ALTER TABLE clusters ADD COLUMN replicas BIGINT NOT NULL DEFAULT 0;      -- heard lately
ALTER TABLE clusters ADD COLUMN certificate_expires_at BIGINT;           -- the first of theirs to end
