-- Suspensions of refusals: who opened which, where, until when, and why. Rows are never removed: this is the record.
CREATE TABLE break_glass (
    id           TEXT   NOT NULL PRIMARY KEY,
    cluster      TEXT   NOT NULL,
    -- Empty for the whole cluster.
    namespace    TEXT   NOT NULL,
    opened_at    BIGINT NOT NULL,
    until_at     BIGINT NOT NULL,
    -- When it was ended before its time.
    ended_at     BIGINT,
    reason       TEXT   NOT NULL,
    opened_by    TEXT   NOT NULL,
    ended_by     TEXT   NOT NULL,
    -- 1 when the owners of the namespace opened it on its Namespace object, and the agent told of it.
    by_namespace BIGINT NOT NULL
);
CREATE INDEX break_glass_by_end ON break_glass (until_at);
