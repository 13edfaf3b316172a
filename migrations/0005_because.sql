-- Whose word decided a failure's action, for people.
ALTER TABLE failures ADD COLUMN because TEXT NOT NULL DEFAULT '';
