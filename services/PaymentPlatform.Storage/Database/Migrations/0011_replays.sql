-- Way back: DROP TABLE replay_spans, replays, once no process runs that retains idempotency keys (StreamRetention reads replays). Events that were replayed stay where they are.

-- Archived events that are published again. The claims replay/<id>/<n> in ingest_idempotency say which chunks are in the target; position and counts here may lag behind them.
CREATE TABLE replays (
  id                 uuid PRIMARY KEY,
  range_from         timestamptz NOT NULL,
  range_to           timestamptz NOT NULL,
  filter             jsonb NOT NULL,
  target             text NOT NULL,
  rate               double precision CHECK (rate > 0),
  allow_live         boolean NOT NULL,
  -- Part of the claims' meaning: a chunk ends where it ended in an attempt before.
  chunk_events       int NOT NULL CHECK (chunk_events > 0),
  -- Nothing that was archived when the replay was made arrived at or after this.
  arrived_before     timestamptz NOT NULL,
  state              text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'stopped')),
  -- Counts up with each beginning: who finds another number has been overtaken.
  attempts           int NOT NULL DEFAULT 0,
  -- Since events were published last.
  faults             int NOT NULL DEFAULT 0,
  not_before         timestamptz,
  lease_until        timestamptz,
  position           jsonb,
  events_done        bigint NOT NULL DEFAULT 0,
  events_total       bigint NOT NULL,
  events_per_second  double precision,
  requested_by       text NOT NULL,
  requested_at       timestamptz NOT NULL DEFAULT now(),
  started_at         timestamptz,
  ended_at           timestamptz,
  error              text,
  CHECK (range_from < range_to)
);
CREATE INDEX replays_open ON replays (id) WHERE state IN ('waiting', 'running', 'failed');

-- How far the archive reached in each partition when the replay was made: what came in later, the replay's own events among it, is none of its.
CREATE TABLE replay_spans (
  replay_id     uuid NOT NULL REFERENCES replays (id) ON DELETE CASCADE,
  stream        text NOT NULL,
  log_id        text NOT NULL,
  partition_id  int NOT NULL,
  next_offset   bigint NOT NULL,
  PRIMARY KEY (replay_id, stream, log_id, partition_id)
);
