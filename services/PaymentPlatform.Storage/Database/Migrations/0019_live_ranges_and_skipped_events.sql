-- Way back: DROP INDEX raw_event_ranges_live; ALTER TABLE replays DROP COLUMN on_oversized, DROP COLUMN renewed_at, once no replay runs. Nothing is lost.

-- The reconciliation reads the ranges that count, not those of all the files that were merged since; their ends lie in the index.
CREATE INDEX raw_event_ranges_live ON raw_event_ranges (file_id, stream, log_id, partition_id, first_offset, next_offset) WHERE live;

-- What becomes of an event that is too large for the target.
ALTER TABLE replays ADD COLUMN on_oversized text NOT NULL DEFAULT 'fail' CHECK (on_oversized IN ('fail', 'skip'));

-- The last sign of life of the process that works on it.
ALTER TABLE replays ADD COLUMN renewed_at timestamptz;
