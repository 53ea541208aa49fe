-- Way back: stop compaction (Archiver:CompactionInterval=0) and wait until no row is superseded; then DROP TABLE legal_holds; ALTER TABLE raw_event_files DROP COLUMN superseded_by, DROP COLUMN rehydrated_at. Set Archiver:RetentionDays=0 first: without the table nothing is held.

-- The file that holds a superseded file's events now: its blob is kept until that one is known to be there.
ALTER TABLE raw_event_files ADD COLUMN superseded_by uuid REFERENCES raw_event_files (file_id);
CREATE INDEX raw_event_files_superseded_by ON raw_event_files (superseded_by) WHERE superseded_by IS NOT NULL;

-- When somebody asked for the file back from the archive tier, the last time.
ALTER TABLE raw_event_files ADD COLUMN rehydrated_at timestamptz;
CREATE INDEX raw_event_files_rehydrated ON raw_event_files (rehydrated_at) WHERE rehydrated_at IS NOT NULL;

-- What must not be deleted: events of a range, by transaction time or by arrival, or of one payment. A hold is never deleted, it is released; who and why is kept of both.
CREATE TABLE legal_holds (
  hold_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  range_from      timestamptz,
  range_to        timestamptz,
  transaction_id  text,
  reason          text NOT NULL,
  placed_by       text NOT NULL,
  placed_at       timestamptz NOT NULL DEFAULT now(),
  released_by     text,
  released_at     timestamptz,
  CHECK ((transaction_id IS NULL) = (range_from IS NOT NULL AND range_to IS NOT NULL) AND (range_from IS NULL) = (range_to IS NULL)),
  CHECK (range_from < range_to),
  CHECK ((released_by IS NULL) = (released_at IS NULL))
);
CREATE INDEX legal_holds_active ON legal_holds (hold_id) WHERE released_at IS NULL;
