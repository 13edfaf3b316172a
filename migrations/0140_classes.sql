-- What each class of clusters is served of a revision: JSON object by the class's name, of index, policies and statement.
ALTER TABLE revisions ADD COLUMN classes TEXT NOT NULL DEFAULT '{}';
