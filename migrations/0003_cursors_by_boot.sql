-- A boot is looked for among all agents of a cluster, former ones too.
CREATE INDEX cursors_by_boot ON cursors (boot);
