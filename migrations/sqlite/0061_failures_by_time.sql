-- Failures are found by time, or by one of three things and time. The time and the id are their key: a failure sent again
-- has the same. One index less holds them, none holds the code, and no name is looked up for each row: names and clusters
-- are never deleted.
CREATE TABLE failures_by_key (
    id              TEXT   NOT NULL,               -- UUIDv7 made by the agent
    at              BIGINT NOT NULL,               -- agent's clock
    received_at     BIGINT NOT NULL,               -- hub's clock
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,               -- '' for cluster-scoped objects
    policy_id       BIGINT NOT NULL,
    code            TEXT   NOT NULL,
    severity        TEXT   NOT NULL,
    action          TEXT   NOT NULL,               -- deny | warn | dryrun
    outcome         TEXT   NOT NULL,               -- fail | error
    message         TEXT   NOT NULL,
    kind_id         BIGINT NOT NULL,
    object          TEXT   NOT NULL,               -- the object's name
    object_uid      TEXT   NOT NULL,
    workload        TEXT   NOT NULL,
    operation       TEXT   NOT NULL,
    requester       TEXT   NOT NULL,               -- the user
    review          TEXT   NOT NULL,
    revision_id     BIGINT NOT NULL,               -- interned revision text
    exemption       TEXT   NOT NULL DEFAULT '',    -- the exemption's name, or ''
    implied         BIGINT NOT NULL DEFAULT 0,     -- 1: the implied pod was judged
    child           BIGINT NOT NULL DEFAULT 0,     -- 1: the object's workload was judged itself
    because         TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (at, id)
);
INSERT INTO failures_by_key (id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action, outcome, message,
    kind_id, object, object_uid, workload, operation, requester, review, revision_id, exemption, implied, child, because)
SELECT id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action, outcome, message,
    kind_id, object, object_uid, workload, operation, requester, review, revision_id, exemption, implied, child, because
FROM failures ORDER BY at, id;
DROP TABLE failures;
ALTER TABLE failures_by_key RENAME TO failures;
CREATE INDEX failures_by_policy ON failures (policy_id, at, id);
CREATE INDEX failures_by_namespace ON failures (namespace_id, at, id);
CREATE INDEX failures_by_cluster ON failures (cluster_id, at, id);
