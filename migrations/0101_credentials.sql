-- Credentials of agents, hashed: each ends, and a new one is given before. Revoking an agent ends all of its own.
CREATE TABLE credentials (
    hash            TEXT   NOT NULL PRIMARY KEY,   -- SHA-256 of a 256-bit random credential
    agent_id        TEXT   NOT NULL REFERENCES agents (id),
    issued_at       BIGINT NOT NULL,
    expires_at      BIGINT                         -- NULL for those of before this migration
);
CREATE INDEX credentials_by_agent ON credentials (agent_id, issued_at);
INSERT INTO credentials (hash, agent_id, issued_at, expires_at) SELECT credential_hash, id, enrolled_at, NULL FROM agents;

-- How often a token may be used, and whether somebody must accept who asks with it.
ALTER TABLE enrollment_tokens ADD COLUMN uses BIGINT NOT NULL DEFAULT 1;
ALTER TABLE enrollment_tokens ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE enrollment_tokens ADD COLUMN needs_acceptance BIGINT NOT NULL DEFAULT 0;
ALTER TABLE enrollment_tokens ADD COLUMN asked_at BIGINT;              -- when an agent first asked with it
ALTER TABLE enrollment_tokens ADD COLUMN asked_version TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment_tokens ADD COLUMN accepted_at BIGINT;
ALTER TABLE enrollment_tokens ADD COLUMN accepted_by TEXT NOT NULL DEFAULT '';
UPDATE enrollment_tokens SET used = 1 WHERE used_at IS NOT NULL;
