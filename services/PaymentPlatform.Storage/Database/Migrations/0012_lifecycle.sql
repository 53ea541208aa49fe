-- Way back: stop compaction (Archiver:CompactionInterval=0) and wait until no row is superseded; then ALTER TABLE raw_event_files DROP COLUMN superseded_by.

-- The file that holds a superseded file's events now: its blob is kept until that one is known to be there.
ALTER TABLE raw_event_files ADD COLUMN superseded_by uuid REFERENCES raw_event_files (file_id);
CREATE INDEX raw_event_files_superseded_by ON raw_event_files (superseded_by) WHERE superseded_by IS NOT NULL;
