-- Way back: DROP FUNCTION stream_observe, stream_own; DROP TABLE consumed_keys, archived_duplicates; ALTER TABLE ingest_idempotency DROP COLUMN sending_until; ALTER TABLE stream_logs DROP COLUMN transport; once no process runs with another transport than Postgres.

-- Streams of brokers are mirrored here: their log and where each partition begins and ends, so that leases, lag and scale rules are the same over every transport.
ALTER TABLE stream_logs ADD COLUMN transport text NOT NULL DEFAULT 'Postgres';

-- A broker can't commit with us: a claim is being sent until then; null once its messages are in the stream.
ALTER TABLE ingest_idempotency ADD COLUMN sending_until timestamptz;

-- Which events of an idempotency key a consumer group has taken from a broker: one bit an event, 4096 events a row. Committed with the checkpoint.
CREATE TABLE consumed_keys (
  consumer_group  text NOT NULL,
  stream          text NOT NULL,
  partition_id    int NOT NULL,
  key             text NOT NULL,
  bucket          bigint NOT NULL,
  taken           bytea NOT NULL,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, stream, partition_id, key, bucket)
) WITH (fillfactor = 70);
CREATE INDEX consumed_keys_updated_at ON consumed_keys (updated_at);

-- Positions of events that the archive holds as repeats, so that a file that was lost is written again as it was.
CREATE TABLE archived_duplicates (
  stream         text NOT NULL,
  log_id         text NOT NULL,
  partition_id   int NOT NULL,
  stream_offset  bigint NOT NULL,
  archived_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, log_id, partition_id, stream_offset)
);

-- What a process saw of a broker's log. Another log under the name replaces the old one; what a group had not read of it becomes a gap.
-- p_seen is the log that the observer last found here. When another has put a newer one in its place meanwhile, the observation is void: it may be older than that. Answers the log that stands.
-- PP004: the name belongs to another transport.
CREATE FUNCTION stream_observe(p_stream text, p_transport text, p_seen text, p_log_id text, p_partitions int, p_ids int[], p_first bigint[], p_next bigint[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_known stream_logs%ROWTYPE;
BEGIN
  SELECT * INTO v_known FROM stream_logs WHERE stream = p_stream;
  IF NOT FOUND OR v_known.log_id <> p_log_id OR v_known.partition_count < p_partitions THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('observe/' || p_stream, 0));
    SELECT * INTO v_known FROM stream_logs WHERE stream = p_stream;
    IF FOUND AND v_known.transport <> p_transport THEN
      RAISE EXCEPTION 'The stream ''%'' in this database belongs to the transport %.', p_stream, v_known.transport USING ERRCODE = 'PP004';
    END IF;
    IF FOUND AND v_known.log_id <> p_log_id AND v_known.log_id <> p_seen THEN
      RETURN v_known.log_id;
    END IF;
    IF FOUND AND v_known.log_id <> p_log_id THEN
      INSERT INTO stream_gaps AS s (consumer_group, stream, log_id, partition_id, first_offset, next_offset)
      SELECT consumer_group, stream, log_id, partition_id, position, end_offset FROM stream_lag WHERE stream = p_stream AND lag > 0
      ON CONFLICT (consumer_group, stream, log_id, partition_id, first_offset) DO UPDATE SET next_offset = greatest(s.next_offset, excluded.next_offset);
      DELETE FROM stream_logs WHERE stream = p_stream;
    END IF;
    INSERT INTO stream_logs AS l (stream, log_id, partition_count, transport) VALUES (p_stream, p_log_id, p_partitions, p_transport)
    ON CONFLICT (stream) DO UPDATE SET partition_count = greatest(l.partition_count, excluded.partition_count);
    INSERT INTO stream_partitions (log_id, partition_id) SELECT p_log_id, i FROM generate_series(0, p_partitions - 1) AS i ON CONFLICT DO NOTHING;
    PERFORM pg_notify('payment_stream', 'l:' || p_stream);
  END IF;
  -- In key order, and only what moved. An observer may be late: never back.
  UPDATE stream_partitions p SET first_offset = greatest(p.first_offset, o.first), next_offset = greatest(p.next_offset, o.first, o.next)
  FROM (
    SELECT w.id, w.first, w.next FROM unnest(p_ids, p_first, p_next) AS w(id, first, next)
    JOIN stream_partitions x ON x.log_id = p_log_id AND x.partition_id = w.id AND (x.first_offset < w.first OR x.next_offset < w.next)
    ORDER BY w.id FOR UPDATE OF x) o
  WHERE p.log_id = p_log_id AND p.partition_id = o.id;
  RETURN p_log_id;
END $$;

-- Where the broker shares out partitions, leases only tell who has them.
CREATE FUNCTION stream_own(p_group text, p_stream text, p_owner text, p_partitions int[], p_duration interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM stream_leases WHERE consumer_group = p_group AND stream = p_stream AND owner = p_owner AND partition_id <> ALL (p_partitions);
  INSERT INTO stream_leases (consumer_group, stream, partition_id, owner, expires_at)
  SELECT p_group, p_stream, i.id, p_owner, clock_timestamp() + p_duration FROM unnest(p_partitions) AS i(id) ORDER BY i.id
  ON CONFLICT (consumer_group, stream, partition_id) DO UPDATE SET owner = EXCLUDED.owner, expires_at = EXCLUDED.expires_at;
END $$;
