-- What is of no other thing (the fleet, clusters, namespaces, policies, codes) is summed by quarters of a day and by weeks too: a
-- list of all namespaces over two months reads a quarter of the rows. Weeks begin where their number says: on Thursdays, as Unix
-- time does.
INSERT INTO sums (span, bucket, kind, of_id, subject_id, judged, failing, denied, warned, errors, exempted, micros, micros_max)
    SELECT 360, bucket / 6, kind, of_id, subject_id, SUM(judged), SUM(failing), SUM(denied), SUM(warned), SUM(errors),
        SUM(exempted), SUM(micros), MAX(micros_max)
    FROM sums WHERE span = 60 AND kind IN (0, 1, 2, 3, 8)
    GROUP BY bucket / 6, kind, of_id, subject_id ORDER BY bucket / 6, kind, of_id, subject_id;
INSERT INTO sums (span, bucket, kind, of_id, subject_id, judged, failing, denied, warned, errors, exempted, micros, micros_max)
    SELECT 10080, bucket / 7, kind, of_id, subject_id, SUM(judged), SUM(failing), SUM(denied), SUM(warned), SUM(errors),
        SUM(exempted), SUM(micros), MAX(micros_max)
    FROM sums WHERE span = 1440 AND kind IN (0, 1, 2, 3, 8)
    GROUP BY bucket / 7, kind, of_id, subject_id ORDER BY bucket / 7, kind, of_id, subject_id;
