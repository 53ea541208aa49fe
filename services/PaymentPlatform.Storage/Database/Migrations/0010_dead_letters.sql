-- Way back: once failed_item_sends is empty (the query service empties it), DROP TABLE failed_item_sends, failed_item_events; DROP INDEX failed_items_pending; ALTER TABLE failed_items DROP COLUMN sending, DROP COLUMN sent_sha256. Who changed what is lost with it: export failed_item_events first.

-- While sending is true the row is still pending, and failed_item_sends says what is on its way. sent_sha256 is that of the payload that a resubmitted item went out with.
ALTER TABLE failed_items
  ADD COLUMN sending boolean NOT NULL DEFAULT false,
  ADD COLUMN sent_sha256 bytea,
  ADD CONSTRAINT failed_items_sending CHECK (NOT sending OR status = 'pending');
CREATE INDEX failed_items_pending ON failed_items (id) WHERE status = 'pending';

-- Resubmissions under way. What goes out is settled here before it does, so that whoever ends it, also after a crash, sends the same event under the same claim.
CREATE TABLE failed_item_sends (
  item_id         bigint PRIMARY KEY REFERENCES failed_items (id),
  claim_key       text NOT NULL UNIQUE,
  payload         bytea NOT NULL,
  payload_sha256  bytea NOT NULL,
  partition_key   bytea NOT NULL,
  correlation_id  bytea NOT NULL,
  is_masked       boolean NOT NULL,
  requested_by    text NOT NULL,
  notes           text,
  requested_at    timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE failed_item_sends ALTER COLUMN payload SET STORAGE EXTERNAL;

-- The life of dead letters: each change, who made it and why.
CREATE TABLE failed_item_events (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_id         bigint NOT NULL REFERENCES failed_items (id),
  at              timestamptz NOT NULL DEFAULT now(),
  action          text NOT NULL CHECK (action IN ('resubmission_begun', 'resubmission_withdrawn', 'resubmitted', 'resolved', 'discarded')),
  done_by         text NOT NULL,
  notes           text,
  payload_sha256  bytea
);
CREATE INDEX failed_item_events_by_item ON failed_item_events (item_id, id);
