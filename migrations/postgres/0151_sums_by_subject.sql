-- What one policy did in one namespace or cluster lies together: two months of it are a few ranges instead of a look for each
-- bucket. A row is added with each new bucket only, since what is added up is not in it. Minutes are in partitions of their own and
-- are spared: there a row of the index would be written for every other evaluation.
CREATE INDEX sums_by_subject ON sums_rest (span, kind, subject_id, of_id, bucket) WHERE kind IN (4, 5);
