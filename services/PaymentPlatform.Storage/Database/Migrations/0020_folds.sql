-- Way back: ALTER TABLE payment_metrics_5m ALTER COLUMN customers_sketch SET STORAGE EXTENDED, ALTER COLUMN merchants_sketch SET STORAGE EXTENDED; DROP TABLE metric_folds.

-- A dense sketch of 24 kB is rewritten by every fold, and hardly compresses: to compress it took ten times as long as all else about its row, while commits waited for the row.
ALTER TABLE payment_metrics_5m
  ALTER COLUMN customers_sketch SET STORAGE EXTERNAL,
  ALTER COLUMN merchants_sketch SET STORAGE EXTERNAL;

-- The last fold, whichever process did it: before the next one, commits have the database to themselves for some times as long. One row at most.
CREATE TABLE metric_folds (
  is_last   boolean PRIMARY KEY DEFAULT true CHECK (is_last),
  ended_at  timestamptz NOT NULL,
  -- Zero where more was left than one fold takes.
  taken     interval NOT NULL
);
