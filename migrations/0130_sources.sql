-- Several repositories become one bundle: of which one a commit is (empty for the first), and at which commit each of them
-- was (JSON object by name; empty for a revision of when there was one source).
ALTER TABLE revisions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN parts TEXT NOT NULL DEFAULT '';
