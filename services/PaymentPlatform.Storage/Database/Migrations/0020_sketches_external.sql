-- Way back: ALTER TABLE payment_metrics_5m ALTER COLUMN customers_sketch SET STORAGE EXTENDED, ALTER COLUMN merchants_sketch SET STORAGE EXTENDED.

-- A dense sketch of 24 kB is rewritten by every fold, and hardly compresses: to compress it took ten times as long as all else about its row, while commits waited for the row.
ALTER TABLE payment_metrics_5m
  ALTER COLUMN customers_sketch SET STORAGE EXTERNAL,
  ALTER COLUMN merchants_sketch SET STORAGE EXTERNAL;
