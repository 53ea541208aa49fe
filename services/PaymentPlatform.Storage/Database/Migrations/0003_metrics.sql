-- Way back: DROP TABLE failed_items, payment_metrics_5m. The figures can be computed again from the archive; the life of dead letters can't: export failed_items first.

-- The key's texts compare by bytes: rows are locked in this order by every process, and no change of a locale's version can spoil the index.
CREATE TABLE payment_metrics_5m (
  window_start    timestamptz NOT NULL,
  window_end      timestamptz NOT NULL,
  payment_method  text COLLATE "C" NOT NULL,
  currency        text COLLATE "C" NOT NULL,
  payment_status  text COLLATE "C" NOT NULL,
  total_count     bigint NOT NULL,
  total_amount    numeric(38, 4) NOT NULL,
  min_amount      numeric(19, 4) NOT NULL,
  max_amount      numeric(19, 4) NOT NULL,
  avg_amount      numeric GENERATED ALWAYS AS (total_amount / total_count) STORED,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (window_start, payment_method, currency, payment_status),
  CHECK (total_count > 0)
) WITH (fillfactor = 50);

CREATE TABLE failed_items (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream          text NOT NULL,
  log_id          text NOT NULL,
  partition_id    int NOT NULL,
  stream_offset   bigint NOT NULL,
  message_id      text,
  transaction_id  text,
  correlation_id  text,
  error_type      text NOT NULL,
  error_message   text NOT NULL,
  errors          jsonb NOT NULL,
  raw_payload     bytea NOT NULL,
  enqueued_at     timestamptz NOT NULL,
  failed_at       timestamptz NOT NULL DEFAULT now(),
  retry_count     int NOT NULL DEFAULT 0,
  last_retry_at   timestamptz,
  status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'resubmitted', 'resolved', 'discarded')),
  resolved_at     timestamptz,
  resolved_by     text,
  notes           text,
  UNIQUE (stream, log_id, partition_id, stream_offset)
);
CREATE INDEX failed_items_by_time ON failed_items (failed_at, id);
CREATE INDEX failed_items_by_status ON failed_items (status, error_type, failed_at);
