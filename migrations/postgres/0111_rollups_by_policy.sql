-- The key of rollups begins with the policy, as that of sums does: counts are folded policy by policy, and what is written
-- together lies together.
ALTER TABLE rollups DROP CONSTRAINT rollups_pkey;
ALTER TABLE rollups ADD PRIMARY KEY (span, bucket, policy_id, namespace_id, cluster_id, revision_id);
