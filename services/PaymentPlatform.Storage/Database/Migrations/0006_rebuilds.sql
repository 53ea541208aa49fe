-- Way back: DROP SCHEMA of each running rebuild (rebuild_<id>_<attempts>) CASCADE; DROP TABLE metric_rebuilds. Nothing but the history of rebuilds is lost.

-- Recomputations of what is derived, from the archive. While one runs, the metrics service writes what it adds to the range a second time, into the schema rebuild_<id>_<attempts>.
CREATE TABLE metric_rebuilds (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  range_from    timestamptz NOT NULL,
  range_to      timestamptz NOT NULL,
  state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  phase         text,
  attempts      int NOT NULL DEFAULT 0,
  events_read   bigint NOT NULL DEFAULT 0,
  events_total  bigint,
  requested_by  text NOT NULL,
  requested_at  timestamptz NOT NULL DEFAULT now(),
  started_at    timestamptz,
  ended_at      timestamptz,
  error         text,
  CHECK (range_from < range_to)
);
-- One at a time.
CREATE UNIQUE INDEX metric_rebuilds_running ON metric_rebuilds ((true)) WHERE state = 'running';
CREATE INDEX metric_rebuilds_waiting ON metric_rebuilds (id) WHERE state IN ('waiting', 'running');
