-- Failures are found by time, or by one of three things and time: the key is the index by time, none holds the code.
ALTER TABLE failures DROP CONSTRAINT failures_pkey;
DROP INDEX failures_by_time;
DROP INDEX failures_by_code;
ALTER TABLE failures ADD PRIMARY KEY (at, id);

-- Sums by minute lie in a partition for each day, dropped when it is old; those by hour and day in one table. What is added
-- to often finds place on its page, so that indexes are left alone.
ALTER TABLE sums RENAME TO sums_plain;
CREATE TABLE sums (LIKE sums_plain INCLUDING DEFAULTS) PARTITION BY LIST (span);
CREATE TABLE sums_minutes PARTITION OF sums FOR VALUES IN (1) PARTITION BY RANGE (bucket);
CREATE TABLE sums_minutes_rest PARTITION OF sums_minutes DEFAULT WITH (fillfactor = 70);
CREATE TABLE sums_rest PARTITION OF sums DEFAULT WITH (fillfactor = 70);
INSERT INTO sums SELECT * FROM sums_plain;
DROP TABLE sums_plain;
ALTER TABLE sums ADD PRIMARY KEY (span, bucket, kind, of_id, subject_id);
ALTER TABLE rollups SET (fillfactor = 70);

-- Filled and emptied all the time: it is tidied often, so that it stays as small as what it holds.
ALTER TABLE recent SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 10,
    autovacuum_analyze_threshold = 1000000);
