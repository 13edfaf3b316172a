-- The key of rollups begins with the policy, as that of sums does: counts are folded policy by policy, and what is written
-- together lies together.
CREATE TABLE rollups_by_policy (
    span            BIGINT NOT NULL,               -- 60 or 1440
    bucket          BIGINT NOT NULL,
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    policy_id       BIGINT NOT NULL,
    revision_id     BIGINT NOT NULL,               -- interned revision; that of '' for counts from before rollups
    passes          BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    denials         BIGINT NOT NULL,
    warnings        BIGINT NOT NULL,
    dryruns         BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    exempted        BIGINT NOT NULL,
    micros          BIGINT NOT NULL,
    micros_max      BIGINT NOT NULL,
    PRIMARY KEY (span, bucket, policy_id, namespace_id, cluster_id, revision_id)
) WITHOUT ROWID;
INSERT INTO rollups_by_policy SELECT * FROM rollups ORDER BY span, bucket, policy_id, namespace_id, cluster_id, revision_id;
DROP TABLE rollups;
ALTER TABLE rollups_by_policy RENAME TO rollups;
