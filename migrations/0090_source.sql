-- What authors signed outside of the hub, by commit.
CREATE TABLE author_statements (
    revision TEXT PRIMARY KEY,
    statement TEXT NOT NULL,                    -- JSON of Signed
    received_at BIGINT NOT NULL
);
-- Calls for a look at the source, by any hub, to the one that follows it; and who signed a commit, where that was asked.
INSERT INTO hub_changes (name, number) VALUES ('looks', 0);
ALTER TABLE revisions ADD COLUMN signed_by TEXT NOT NULL DEFAULT '';
