-- Events and cards that a replica could not send.
ALTER TABLE replicas ADD COLUMN untold BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clusters ADD COLUMN untold BIGINT NOT NULL DEFAULT 0;
