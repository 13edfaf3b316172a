-- Pages ask for the reviews of one namespace over a span of time.
CREATE INDEX review_minutes_by_namespace ON review_minutes (namespace_id, minute);
