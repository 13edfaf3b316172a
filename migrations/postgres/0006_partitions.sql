-- What grows with every minute is kept in a partition per day, so that retention drops tables instead of rows. The hub
-- makes partitions ahead (hub/src/store/postgres/partitions.rs); the `rest` takes what is of no day that has one: a
-- spool of weeks ago, a clock that is off. The key must hold the time: a failure sent again has the same id and time.
-- There are no foreign keys: clusters and names are never deleted, and asking for five of them with every row is what
-- storing it would cost most.

ALTER TABLE failures RENAME TO failures_plain;
CREATE TABLE failures (LIKE failures_plain INCLUDING DEFAULTS) PARTITION BY RANGE (at);
CREATE TABLE failures_rest PARTITION OF failures DEFAULT;
INSERT INTO failures SELECT * FROM failures_plain;
DROP TABLE failures_plain;
ALTER TABLE failures ADD PRIMARY KEY (id, at);
CREATE INDEX failures_by_time ON failures (at, id);
CREATE INDEX failures_by_policy ON failures (policy_id, at, id);
CREATE INDEX failures_by_namespace ON failures (namespace_id, at, id);
CREATE INDEX failures_by_cluster ON failures (cluster_id, at, id);
CREATE INDEX failures_by_code ON failures (code, at, id);

ALTER TABLE policy_minutes RENAME TO policy_minutes_plain;
CREATE TABLE policy_minutes (LIKE policy_minutes_plain INCLUDING DEFAULTS) PARTITION BY RANGE (minute);
CREATE TABLE policy_minutes_rest PARTITION OF policy_minutes DEFAULT;
INSERT INTO policy_minutes SELECT * FROM policy_minutes_plain;
DROP TABLE policy_minutes_plain;
ALTER TABLE policy_minutes ADD PRIMARY KEY (minute, cluster_id, namespace_id, policy_id);
CREATE INDEX policy_minutes_by_policy ON policy_minutes (policy_id, minute);
CREATE INDEX policy_minutes_by_namespace ON policy_minutes (namespace_id, minute);

ALTER TABLE review_minutes RENAME TO review_minutes_plain;
CREATE TABLE review_minutes (LIKE review_minutes_plain INCLUDING DEFAULTS) PARTITION BY RANGE (minute);
CREATE TABLE review_minutes_rest PARTITION OF review_minutes DEFAULT;
INSERT INTO review_minutes SELECT * FROM review_minutes_plain;
DROP TABLE review_minutes_plain;
ALTER TABLE review_minutes ADD PRIMARY KEY (minute, cluster_id, namespace_id);
CREATE INDEX review_minutes_by_namespace ON review_minutes (namespace_id, minute);
