-- Way back: DROP INDEX raw_event_files_lost. Nothing is lost.

-- For the audit trail: the lost file in whose place another stands, which has its live_generation.
CREATE INDEX raw_event_files_lost ON raw_event_files (live_generation) WHERE state = 'lost';
