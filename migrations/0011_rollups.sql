-- What evaluations came to, by action: denials + warnings + dryruns = failures + errors, for rows from now on.
ALTER TABLE policy_minutes ADD COLUMN warnings BIGINT NOT NULL DEFAULT 0;
ALTER TABLE policy_minutes ADD COLUMN dryruns BIGINT NOT NULL DEFAULT 0;
ALTER TABLE policy_minutes ADD COLUMN micros_max BIGINT NOT NULL DEFAULT 0; -- the slowest evaluation

-- Rollups by hour and day, with the revision that judged; moved in the transaction of the report that brought the counts.
CREATE TABLE policy_hours (
    hour            BIGINT NOT NULL,               -- Unix hours
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
    PRIMARY KEY (hour, cluster_id, namespace_id, policy_id, revision_id)
);
CREATE INDEX policy_hours_by_policy ON policy_hours (policy_id, hour);
CREATE INDEX policy_hours_by_namespace ON policy_hours (namespace_id, hour);

CREATE TABLE policy_days (
    day             BIGINT NOT NULL,               -- Unix days
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    policy_id       BIGINT NOT NULL,
    revision_id     BIGINT NOT NULL,
    passes          BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    denials         BIGINT NOT NULL,
    warnings        BIGINT NOT NULL,
    dryruns         BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    exempted        BIGINT NOT NULL,
    micros          BIGINT NOT NULL,
    micros_max      BIGINT NOT NULL,
    PRIMARY KEY (day, cluster_id, namespace_id, policy_id, revision_id)
);
CREATE INDEX policy_days_by_policy ON policy_days (policy_id, day);
CREATE INDEX policy_days_by_namespace ON policy_days (namespace_id, day);

CREATE TABLE review_hours (
    hour            BIGINT NOT NULL,
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    reviews         BIGINT NOT NULL,
    failing         BIGINT NOT NULL,
    denied          BIGINT NOT NULL,
    PRIMARY KEY (hour, cluster_id, namespace_id)
);
CREATE INDEX review_hours_by_namespace ON review_hours (namespace_id, hour);

CREATE TABLE review_days (
    day             BIGINT NOT NULL,
    cluster_id      BIGINT NOT NULL,
    namespace_id    BIGINT NOT NULL,
    reviews         BIGINT NOT NULL,
    failing         BIGINT NOT NULL,
    denied          BIGINT NOT NULL,
    PRIMARY KEY (day, cluster_id, namespace_id)
);
CREATE INDEX review_days_by_namespace ON review_days (namespace_id, day);

-- What was counted before, whose revision is not known.
INSERT INTO names (id, name) SELECT COALESCE(MAX(id), 0) + 1, '' FROM names WHERE 1 = 1 ON CONFLICT (name) DO NOTHING;
INSERT INTO policy_hours SELECT minute / 60, cluster_id, namespace_id, policy_id, (SELECT id FROM names WHERE name = ''),
    SUM(passes), SUM(failures), SUM(denials), 0, 0, SUM(errors), SUM(exempted), SUM(micros), 0
    FROM policy_minutes GROUP BY minute / 60, cluster_id, namespace_id, policy_id;
INSERT INTO policy_days SELECT hour / 24, cluster_id, namespace_id, policy_id, revision_id,
    SUM(passes), SUM(failures), SUM(denials), 0, 0, SUM(errors), SUM(exempted), SUM(micros), 0
    FROM policy_hours GROUP BY hour / 24, cluster_id, namespace_id, policy_id, revision_id;
INSERT INTO review_hours SELECT minute / 60, cluster_id, namespace_id, SUM(reviews), SUM(failing), SUM(denied)
    FROM review_minutes GROUP BY minute / 60, cluster_id, namespace_id;
INSERT INTO review_days SELECT hour / 24, cluster_id, namespace_id, SUM(reviews), SUM(failing), SUM(denied)
    FROM review_hours GROUP BY hour / 24, cluster_id, namespace_id;
