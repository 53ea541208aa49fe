-- Way back: DROP TRIGGER raw_event_files_generation ON raw_event_files; DROP TRIGGER raw_event_files_generation_of_new ON raw_event_files; DROP FUNCTION manifest_generation; DROP TABLE raw_event_generation; ALTER TABLE raw_event_files DROP COLUMN live_generation, DROP COLUMN gone_generation, DROP COLUMN changed_generation; cursors that were handed out end with it.

-- Every change of a file into or out of 'live' takes the next number, and the numbers become visible in their order: a reader that has seen one has seen all before it.
-- A file is readable as of generation G when live_generation <= G and it was not gone by then (gone_generation null or > G).
CREATE TABLE raw_event_generation (
  one         boolean PRIMARY KEY DEFAULT true CHECK (one),
  generation  bigint NOT NULL
) WITH (fillfactor = 20);
INSERT INTO raw_event_generation (generation) VALUES (1);

ALTER TABLE raw_event_files
  ADD COLUMN live_generation bigint,
  ADD COLUMN gone_generation bigint,
  ADD COLUMN changed_generation bigint;
UPDATE raw_event_files SET live_generation = 1, changed_generation = 1, gone_generation = CASE WHEN state <> 'live' THEN 1 END WHERE archived_at IS NOT NULL;
CREATE INDEX raw_event_files_gone ON raw_event_files (gone_generation) WHERE gone_generation IS NOT NULL;
CREATE INDEX raw_event_files_changed ON raw_event_files (changed_generation) WHERE changed_generation IS NOT NULL;

-- Runs at COMMIT, so that the counter's row is locked only while the server commits, never while a client is paused.
-- A lost file was never good for a reader, and the one written again stands in its place from the beginning: its writer gives it the lost one's live_generation.
CREATE FUNCTION manifest_generation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_generation bigint;
BEGIN
  UPDATE raw_event_generation SET generation = generation + 1 RETURNING generation INTO v_generation;
  IF NEW.state = 'live' THEN
    UPDATE raw_event_files SET live_generation = coalesce(live_generation, v_generation), changed_generation = v_generation WHERE file_id = NEW.file_id;
  ELSE
    UPDATE raw_event_files SET gone_generation = CASE WHEN NEW.state = 'lost' THEN live_generation ELSE v_generation END, changed_generation = v_generation WHERE file_id = NEW.file_id;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER raw_event_files_generation AFTER UPDATE OF state ON raw_event_files DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ((OLD.state = 'live') <> (NEW.state = 'live')) EXECUTE FUNCTION manifest_generation();
CREATE CONSTRAINT TRIGGER raw_event_files_generation_of_new AFTER INSERT ON raw_event_files DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state = 'live') EXECUTE FUNCTION manifest_generation();
