-- What hubs that share a database tell each other. A hub that is alone writes the same and reads none of it.

-- One row: who leads, that is who follows the source, assigns and makes partitions. The term grows with each hub that
-- begins to lead; what a leader writes is written only while the term is its own.
CREATE TABLE hub_leader (
    id              BIGINT NOT NULL PRIMARY KEY,   -- 1
    term            BIGINT NOT NULL,
    hub             TEXT   NOT NULL,               -- made anew at each start of a hub
    began_at        BIGINT NOT NULL
);
INSERT INTO hub_leader (id, term, hub, began_at) VALUES (1, 0, '', 0);

-- Counters that grow with what others should look at.
CREATE TABLE hub_changes (
    name            TEXT   NOT NULL PRIMARY KEY,   -- assignments: rounds of telling clusters | wanted: calls for a round
    number          BIGINT NOT NULL
);
INSERT INTO hub_changes (name, number) VALUES ('assignments', 0), ('wanted', 0);

ALTER TABLE assignments ADD COLUMN round BIGINT NOT NULL DEFAULT 0;        -- in which it was told
CREATE INDEX assignments_by_round ON assignments (round);
