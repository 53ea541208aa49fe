-- Way back: DROP TABLE retention_verdicts. Files that a payment's hold keeps are looked through again then.

-- Files past their retention that stay for a held payment, or because they could not be looked through for one. A file's bytes never change, so that a verdict holds as long as one of its holds does.
CREATE TABLE retention_verdicts (
  file_id    uuid PRIMARY KEY REFERENCES raw_event_files (file_id) ON DELETE CASCADE,
  -- The holds whose payments have events in the file.
  held_by    bigint[] NOT NULL,
  -- Why it could not be looked through; then it is tried again later.
  fault      text,
  looked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((fault IS NULL) = (cardinality(held_by) > 0))
);
