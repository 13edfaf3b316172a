-- Counts as they arrive are appended to `recent`, in the transaction of the report that brings them, and nothing else is
-- touched then. A moment later they are folded, many at once: added to the sums and rollups and taken out of `recent`, in
-- one transaction. A sum is what `sums` holds and what `recent` holds; every page adds up both, so none is ever behind.
--
-- This replaces seven tables, each of which was added to with every report. What they held moves into the new ones: counts
-- by minute of where a policy judged (by namespace, and by cluster), all else by hour and day with the revision.

CREATE TABLE recent (
    what            BIGINT NOT NULL,               -- 0: reviews, 1: evaluations, 2: failures that were stored, by code
    minute          BIGINT NOT NULL,               -- Unix minutes
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    policy_id       BIGINT NOT NULL,               -- 0 of reviews; the name of the code of failures
    revision_id     BIGINT NOT NULL,
    passes          BIGINT NOT NULL,               -- of failures that were stored: how many
    failures        BIGINT NOT NULL,
    denials         BIGINT NOT NULL,
    warnings        BIGINT NOT NULL,
    dryruns         BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    exempted        BIGINT NOT NULL,
    micros          BIGINT NOT NULL,
    micros_max      BIGINT NOT NULL
);

-- `span` is the length of a bucket in minutes (1, 60 or 1440), `bucket` counts them since 1970. The key begins with both, so
-- that what is written now lies together, and so does what grows old.
-- kind 0: reviews of the fleet, 1: of a cluster, 2: of a namespace, 6: of a namespace in a cluster, 7: of a cluster in a
-- namespace; 3: evaluations of a policy, 4: of a policy in a cluster, 5: of a policy in a namespace; 8: failures of a code.
ALTER TABLE sums RENAME TO sums_before;
CREATE TABLE sums (
    span            BIGINT NOT NULL,
    bucket          BIGINT NOT NULL,
    kind            BIGINT NOT NULL,
    of_id           BIGINT NOT NULL,               -- the policy of kinds 4 and 5, the cluster of 6, the namespace of 7, else 0
    subject_id      BIGINT NOT NULL,               -- the cluster, namespace, policy or code; 0 for the fleet
    judged          BIGINT NOT NULL,
    failing         BIGINT NOT NULL,               -- with an objection or an error that no exemption covers
    denied          BIGINT NOT NULL,               -- of these
    warned          BIGINT NOT NULL,               -- of these; the rest is dryrun
    errors          BIGINT NOT NULL,               -- of these
    exempted        BIGINT NOT NULL,
    micros          BIGINT NOT NULL,
    micros_max      BIGINT NOT NULL,               -- the slowest evaluation
    PRIMARY KEY (span, bucket, kind, of_id, subject_id)
) WITHOUT ROWID;

CREATE TABLE rollups (
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
    PRIMARY KEY (span, bucket, cluster_id, namespace_id, policy_id, revision_id)
) WITHOUT ROWID;

INSERT INTO rollups SELECT 60, hour, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials, warnings,
    dryruns, errors, exempted, micros, micros_max FROM policy_hours;
INSERT INTO rollups SELECT 1440, day, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials, warnings,
    dryruns, errors, exempted, micros, micros_max FROM policy_days;

INSERT INTO sums SELECT 1, p.minute, k.kind, CASE k.kind WHEN 3 THEN 0 ELSE p.policy_id END,
    CASE k.kind WHEN 3 THEN p.policy_id WHEN 4 THEN p.cluster_id ELSE p.namespace_id END,
    SUM(p.passes + p.failures + p.errors + p.exempted), SUM(p.failures + p.errors), SUM(p.denials), SUM(p.warnings),
    SUM(p.errors), SUM(p.exempted), SUM(p.micros), MAX(p.micros_max)
    FROM policy_minutes p CROSS JOIN (SELECT 3 AS kind UNION ALL SELECT 4 UNION ALL SELECT 5) k GROUP BY 1, 2, 3, 4, 5;
INSERT INTO sums SELECT p.span, p.bucket, k.kind, CASE k.kind WHEN 3 THEN 0 ELSE p.policy_id END,
    CASE k.kind WHEN 3 THEN p.policy_id WHEN 4 THEN p.cluster_id ELSE p.namespace_id END,
    SUM(p.passes + p.failures + p.errors + p.exempted), SUM(p.failures + p.errors), SUM(p.denials), SUM(p.warnings),
    SUM(p.errors), SUM(p.exempted), SUM(p.micros), MAX(p.micros_max)
    FROM rollups p CROSS JOIN (SELECT 3 AS kind UNION ALL SELECT 4 UNION ALL SELECT 5) k GROUP BY 1, 2, 3, 4, 5;
INSERT INTO sums SELECT r.span, r.bucket, k.kind, CASE k.kind WHEN 6 THEN r.cluster_id WHEN 7 THEN r.namespace_id ELSE 0 END,
    CASE k.kind WHEN 0 THEN 0 WHEN 1 THEN r.cluster_id WHEN 7 THEN r.cluster_id ELSE r.namespace_id END,
    SUM(r.reviews), SUM(r.failing), SUM(r.denied), 0, 0, 0, 0, 0
    FROM (SELECT 1 AS span, minute AS bucket, cluster_id, namespace_id, reviews, failing, denied FROM review_minutes
        UNION ALL SELECT 60, hour, cluster_id, namespace_id, reviews, failing, denied FROM review_hours
        UNION ALL SELECT 1440, day, cluster_id, namespace_id, reviews, failing, denied FROM review_days) r
    CROSS JOIN (SELECT 0 AS kind UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 6 UNION ALL SELECT 7) k
    GROUP BY 1, 2, 3, 4, 5;

-- Failures as they were stored, by code.
INSERT INTO names (id, name)
    SELECT (SELECT MAX(id) FROM names) + ROW_NUMBER() OVER (ORDER BY code), code
    FROM (SELECT DISTINCT code FROM failures WHERE code NOT IN (SELECT name FROM names)) c;
INSERT INTO sums SELECT s.span, f.minute / s.span, 8, 0, n.id, SUM(f.failures), 0, 0, 0, 0, 0, 0, 0
    FROM (SELECT at / 60000 AS minute, code, COUNT(*) AS failures FROM failures GROUP BY 1, 2) f
    JOIN names n ON n.name = f.code
    CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 60 UNION ALL SELECT 1440) s
    GROUP BY 1, 2, 5;

DROP TABLE sums_before;
DROP TABLE policy_minutes;
DROP TABLE policy_hours;
DROP TABLE policy_days;
DROP TABLE review_minutes;
DROP TABLE review_hours;
DROP TABLE review_days;
