-- Way back: DROP INDEX raw_event_files_lost; ALTER TABLE legal_holds DROP COLUMN request_id. Nothing is lost.

-- For the audit trail: the lost file in whose place another stands, which has its live_generation.
CREATE INDEX raw_event_files_lost ON raw_event_files (live_generation) WHERE state = 'lost';

-- Of the call that placed the hold, so that an insert that is tried again makes one row.
ALTER TABLE legal_holds ADD COLUMN request_id uuid UNIQUE;
