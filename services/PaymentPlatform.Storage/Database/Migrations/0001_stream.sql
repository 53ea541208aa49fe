-- Way back: DROP TABLE of everything below, in reverse order, once no consumer or producer runs; the stream's unread events are lost with it.

-- The PostgreSQL transport. One row of stream_batches is one compressed record batch.
CREATE TABLE stream_logs (
  stream           text PRIMARY KEY,
  log_id           text NOT NULL UNIQUE,
  partition_count  int NOT NULL CHECK (partition_count BETWEEN 1 AND 256),
  created_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stream_partitions (
  log_id        text NOT NULL REFERENCES stream_logs (log_id) ON DELETE CASCADE,
  partition_id  int NOT NULL,
  first_offset  bigint NOT NULL DEFAULT 0,
  next_offset   bigint NOT NULL DEFAULT 0,
  stored_bytes  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (log_id, partition_id),
  CHECK (first_offset <= next_offset)
) WITH (fillfactor = 20);

CREATE TABLE stream_batches (
  log_id              text NOT NULL,
  partition_id        int NOT NULL,
  first_offset        bigint NOT NULL,
  next_offset         bigint NOT NULL,
  enqueued_at         timestamptz NOT NULL,
  uncompressed_bytes  int NOT NULL,
  codec               smallint NOT NULL,
  payload             bytea NOT NULL,
  PRIMARY KEY (log_id, partition_id, first_offset),
  FOREIGN KEY (log_id, partition_id) REFERENCES stream_partitions (log_id, partition_id) ON DELETE CASCADE,
  CHECK (first_offset < next_offset)
);
-- The payload is compressed already.
ALTER TABLE stream_batches ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Consumer groups: retention never passes a registered group's checkpoint.
CREATE TABLE stream_groups (
  consumer_group  text NOT NULL,
  stream          text NOT NULL,
  registered_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, stream)
);

CREATE TABLE stream_checkpoints (
  consumer_group  text NOT NULL,
  stream          text NOT NULL,
  log_id          text NOT NULL,
  partition_id    int NOT NULL,
  next_offset     bigint NOT NULL,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, stream, log_id, partition_id)
) WITH (fillfactor = 20);

CREATE TABLE stream_members (
  consumer_group  text NOT NULL,
  stream          text NOT NULL,
  owner           text NOT NULL,
  expires_at      timestamptz NOT NULL,
  PRIMARY KEY (consumer_group, stream, owner)
);

CREATE TABLE stream_leases (
  consumer_group  text NOT NULL,
  stream          text NOT NULL,
  partition_id    int NOT NULL,
  owner           text NOT NULL,
  expires_at      timestamptz NOT NULL,
  PRIMARY KEY (consumer_group, stream, partition_id)
);

-- Offsets that were gone before a group had read them.
CREATE TABLE stream_gaps (
  consumer_group  text NOT NULL,
  stream          text NOT NULL,
  log_id          text NOT NULL,
  partition_id    int NOT NULL,
  first_offset    bigint NOT NULL,
  next_offset     bigint NOT NULL,
  detected_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, stream, log_id, partition_id, first_offset)
);

-- The lowest checkpoint of all groups, noted from time to time: what every group had read at noted_at may go once that is a retention ago.
CREATE TABLE stream_retention_marks (
  log_id        text NOT NULL REFERENCES stream_logs (log_id) ON DELETE CASCADE,
  partition_id  int NOT NULL,
  noted_at      timestamptz NOT NULL DEFAULT now(),
  safe_offset   bigint NOT NULL,
  PRIMARY KEY (log_id, partition_id, noted_at)
);

-- What was already taken in under an Idempotency-Key. Committed with the append of the chunk.
CREATE TABLE ingest_idempotency (
  key         text NOT NULL,
  chunk       int NOT NULL,
  body_hash   bytea NOT NULL,
  outcome     bytea NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (key, chunk)
);
CREATE INDEX ingest_idempotency_created_at ON ingest_idempotency (created_at);
