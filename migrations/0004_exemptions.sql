-- Failures that an exemption covered are recorded and counted apart; a policy may have judged the pod that a workload
-- implies; an object may belong to a workload that was judged itself.
ALTER TABLE failures ADD COLUMN exemption TEXT NOT NULL DEFAULT '';        -- the exemption's name, or ''
ALTER TABLE failures ADD COLUMN implied BIGINT NOT NULL DEFAULT 0;         -- 1: the implied pod was judged
ALTER TABLE failures ADD COLUMN child BIGINT NOT NULL DEFAULT 0;           -- 1: the object's workload was judged itself
ALTER TABLE policy_minutes ADD COLUMN exempted BIGINT NOT NULL DEFAULT 0;  -- beside passes, failures and errors
CREATE INDEX failures_by_code ON failures (code, at, id);
