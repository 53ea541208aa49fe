-- Way back: ALTER TABLE metric_rebuilds DROP COLUMN faults, DROP COLUMN retry_at, DROP COLUMN rule_failures, DROP COLUMN request_id. A rebuild that has met faults begins to count anew.

-- How often a rebuild ended in a fault that could pass, and when it is tried again: after some it is given up.
ALTER TABLE metric_rebuilds
  ADD COLUMN faults int NOT NULL DEFAULT 0,
  ADD COLUMN retry_at timestamptz,
  -- Events whose figures count, but not what rules would have given for them: our own code failed.
  ADD COLUMN rule_failures bigint NOT NULL DEFAULT 0,
  -- Of the call that asked for it, so that an insert that is tried again makes one row.
  ADD COLUMN request_id uuid UNIQUE;
