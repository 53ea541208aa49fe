-- Way back: DROP TABLE raw_event_ranges, raw_event_files. The Parquet files stay, but nothing names them any more: export the two tables first.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The manifest. A file exists for readers when its state is 'live'.
CREATE TABLE raw_event_files (
  file_id                    uuid PRIMARY KEY,
  blob_name                  text NOT NULL UNIQUE,
  state                      text NOT NULL CHECK (state IN ('pending', 'live', 'abandoned', 'superseded', 'lost', 'deleting', 'deleted')),
  owner                      text NOT NULL,
  created_at                 timestamptz NOT NULL DEFAULT now(),
  archived_at                timestamptz,
  state_changed_at           timestamptz NOT NULL DEFAULT now(),
  row_count                  bigint,
  valid_count                bigint,
  byte_size                  bigint,
  sha256                     bytea,
  min_transaction_timestamp  timestamptz,
  max_transaction_timestamp  timestamptz,
  min_enqueued_at            timestamptz,
  max_enqueued_at            timestamptz,
  schema_version             int NOT NULL DEFAULT 1,
  tier                       text NOT NULL DEFAULT 'hot',
  CHECK (state <> 'live' OR (row_count IS NOT NULL AND byte_size IS NOT NULL AND sha256 IS NOT NULL AND archived_at IS NOT NULL))
);
CREATE INDEX raw_event_files_live_by_transaction_time ON raw_event_files (min_transaction_timestamp, max_transaction_timestamp) WHERE state = 'live';
-- What became live recently is checked to be there.
CREATE INDEX raw_event_files_live_by_change ON raw_event_files (state_changed_at) WHERE state = 'live';
CREATE INDEX raw_event_files_by_state ON raw_event_files (state, state_changed_at) WHERE state IN ('pending', 'abandoned', 'superseded', 'deleting');

CREATE TABLE raw_event_ranges (
  file_id       uuid NOT NULL REFERENCES raw_event_files (file_id),
  stream        text NOT NULL,
  log_id        text NOT NULL,
  partition_id  int NOT NULL,
  first_offset  bigint NOT NULL,
  next_offset   bigint NOT NULL,
  live          boolean NOT NULL DEFAULT true,
  PRIMARY KEY (file_id, stream, log_id, partition_id, first_offset),
  CHECK (first_offset < next_offset),
  -- Two live files never hold the same offset: the database itself refuses it.
  EXCLUDE USING gist (stream WITH =, log_id WITH =, partition_id WITH =, int8range(first_offset, next_offset) WITH &&) WHERE (live)
);
