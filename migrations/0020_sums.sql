-- What pages read instead of the rows: sums of reviews by fleet, cluster and namespace, and of evaluations by policy and by where a
-- policy judged. Written in the transaction of the rows that they sum, so that they are never behind.
-- `span` is the length of a bucket in minutes (1, 60 or 1440), `bucket` counts them since 1970. The key begins with both, so that
-- what is written now lies together, and so does what grows old.
-- kind 0: the fleet, 1: a cluster, 2: a namespace, 3: a policy, 4: a policy in a cluster, 5: a policy in a namespace.
CREATE TABLE sums (
    span            BIGINT NOT NULL,
    bucket          BIGINT NOT NULL,
    kind            BIGINT NOT NULL,
    policy_id       BIGINT NOT NULL,               -- of kinds 4 and 5, else 0
    subject_id      BIGINT NOT NULL,               -- the cluster, namespace or policy; 0 for the fleet
    judged          BIGINT NOT NULL,
    failing         BIGINT NOT NULL,               -- with an objection or an error that no exemption covers
    denied          BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    exempted        BIGINT NOT NULL,
    PRIMARY KEY (span, bucket, kind, policy_id, subject_id)
);

-- What was stored before this table was there.
INSERT INTO sums (kind, span, policy_id, bucket, subject_id, judged, failing, denied, errors, exempted)
SELECT k.kind, s.span, 0, r.minute / s.span, CASE k.kind WHEN 0 THEN 0 WHEN 1 THEN r.cluster_id ELSE r.namespace_id END,
       SUM(r.reviews), SUM(r.failing), SUM(r.denied), 0, 0
FROM review_minutes r
CROSS JOIN (SELECT 0 AS kind UNION ALL SELECT 1 UNION ALL SELECT 2) k
CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 60 UNION ALL SELECT 1440) s
GROUP BY 1, 2, 3, 4, 5;
INSERT INTO sums (kind, span, policy_id, bucket, subject_id, judged, failing, denied, errors, exempted)
SELECT k.kind, s.span, CASE k.kind WHEN 3 THEN 0 ELSE p.policy_id END, p.minute / s.span,
       CASE k.kind WHEN 3 THEN p.policy_id WHEN 4 THEN p.cluster_id ELSE p.namespace_id END,
       SUM(p.passes + p.failures + p.errors + p.exempted), SUM(p.failures + p.errors), SUM(p.denials), SUM(p.errors),
       SUM(p.exempted)
FROM policy_minutes p
CROSS JOIN (SELECT 3 AS kind UNION ALL SELECT 4 UNION ALL SELECT 5) k
CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 60 UNION ALL SELECT 1440) s
GROUP BY 1, 2, 3, 4, 5;

-- What a policy is called by the newest revision that holds it, and which policy has a code.
CREATE INDEX revision_policies_by_policy ON revision_policies (policy_id, revision_id);
CREATE INDEX revision_policies_by_code ON revision_policies (code, revision_id);
