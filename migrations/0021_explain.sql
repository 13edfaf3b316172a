-- What explaining a policy's action needs: all that the policy says of itself as JSON, and the file that holds the fleet, so
-- that each word has its line. Empty for revisions that were checked before.
ALTER TABLE revision_policies ADD COLUMN info TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN fleet_file TEXT NOT NULL DEFAULT '';
