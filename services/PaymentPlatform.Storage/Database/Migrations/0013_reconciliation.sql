-- Way back: DROP TABLE reconciliation_runs, metric_retention, raw_event_holes; DROP INDEX failed_items_by_arrival, raw_event_files_deleted, raw_event_files_by_verification, raw_event_files_by_name; DROP TRIGGER raw_event_files_gone_state ON raw_event_files; DROP FUNCTION manifest_gone_state;
-- ALTER TABLE stream_checkpoints DROP COLUMN start_offset; ALTER TABLE raw_event_files DROP COLUMN gone_state, DROP COLUMN verified_at; metrics_drop_before as 0005 has it. Nothing but the history of checks is lost, and what retention deleted looks like a gap from then on.

-- verified_at: when the blob's bytes last agreed with the row, or were out of reach in the archive tier.
-- gone_state: the state for which the file left 'live'. Offsets of a file that left it to be deleted are gone on purpose; those of a superseded one must be in another live file.
ALTER TABLE raw_event_files ADD COLUMN verified_at timestamptz, ADD COLUMN gone_state text;
UPDATE raw_event_files SET gone_state = state WHERE archived_at IS NOT NULL AND state <> 'live';
CREATE FUNCTION manifest_gone_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.gone_state := nullif(NEW.state, 'live');
  RETURN NEW;
END $$;
CREATE TRIGGER raw_event_files_gone_state BEFORE UPDATE OF state ON raw_event_files
  FOR EACH ROW WHEN ((OLD.state = 'live') <> (NEW.state = 'live') AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION manifest_gone_state();

-- In the order of a listing of blobs.
CREATE INDEX raw_event_files_by_name ON raw_event_files (blob_name COLLATE "C") WHERE state = 'live';
CREATE INDEX raw_event_files_by_verification ON raw_event_files (verified_at NULLS FIRST, file_id) WHERE state = 'live';
CREATE INDEX raw_event_files_deleted ON raw_event_files (max_transaction_timestamp) WHERE gone_state IN ('deleting', 'deleted');
CREATE INDEX failed_items_by_arrival ON failed_items (enqueued_at);

-- Where the group began in the log; null when that was before this script.
ALTER TABLE stream_checkpoints ADD COLUMN start_offset bigint;

-- Offsets that the archiver passed without a file, since the broker had no events there (markers of transactions, compaction).
CREATE TABLE raw_event_holes (
  stream        text NOT NULL,
  log_id        text NOT NULL,
  partition_id  int NOT NULL,
  first_offset  bigint NOT NULL,
  next_offset   bigint NOT NULL,
  PRIMARY KEY (stream, log_id, partition_id, first_offset),
  CHECK (first_offset < next_offset)
);

-- The first day that retention has left in place.
CREATE TABLE metric_retention (
  table_name  text PRIMARY KEY,
  first_day   date NOT NULL
);
CREATE OR REPLACE FUNCTION metrics_drop_before(p_table text, p_column text, p_day date, p_rows int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_name text;
  v_dropped int := 0;
BEGIN
  INSERT INTO metric_retention AS r (table_name, first_day) VALUES (p_table, p_day)
  ON CONFLICT (table_name) DO UPDATE SET first_day = excluded.first_day WHERE r.first_day < excluded.first_day;
  FOR v_name IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = format('public.%I', p_table)::regclass AND c.relname ~ ('^' || p_table || '_[0-9]{8}$') AND right(c.relname, 8) < to_char(p_day, 'YYYYMMDD')
    ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE public.%I', v_name);
    v_dropped := v_dropped + 1;
  END LOOP;
  EXECUTE format('DELETE FROM public.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.%1$I WHERE %2$I < $1 LIMIT $2))', p_table || '_default', p_column)
  USING p_day::timestamp AT TIME ZONE 'UTC', p_rows;
  RETURN v_dropped;
END $$;

-- The scheduled checks that came to their end.
CREATE TABLE reconciliation_runs (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz NOT NULL,
  agrees      boolean NOT NULL,
  -- How many, by kind.
  findings    jsonb NOT NULL
);
CREATE INDEX reconciliation_runs_by_start ON reconciliation_runs (started_at);
