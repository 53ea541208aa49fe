-- Way back: CREATE TABLE payment_metrics_5m as 0003 has it, under another name; INSERT INTO it the columns that it knows; DROP TABLE cluster_samples, rule_activations, rule_versions, rule_state_snapshots, rule_state_log, metric_deltas, rule_buckets, dynamic_metrics,
-- aggregate_histograms, payment_metrics_5m; DROP FUNCTION metrics_make_partition, metrics_drop_before; rename. All of it can be computed again from the archive, but for rule_versions: export that first.

-- Makes the partition of one day (UTC) of a table that is partitioned by days, unless it is there. Rows of the day that are in the default partition move into it.
CREATE FUNCTION metrics_make_partition(p_table text, p_column text, p_day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_name text := p_table || '_' || to_char(p_day, 'YYYYMMDD');
  v_from timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
  v_to timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
  v_columns text;
  v_options text;
BEGIN
  IF to_regclass(format('public.%I', v_name)) IS NOT NULL THEN
    RETURN false;
  END IF;
  -- No row of the day may come into the default partition between the move and the attaching.
  EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', p_table || '_default');
  EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', v_name, p_table);
  SELECT array_to_string(reloptions, ', ') INTO v_options FROM pg_class WHERE oid = format('public.%I', p_table || '_default')::regclass;
  IF v_options IS NOT NULL THEN
    EXECUTE format('ALTER TABLE public.%I SET (%s)', v_name, v_options);
  END IF;
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO v_columns
  FROM pg_attribute WHERE attrelid = format('public.%I', p_table)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
  EXECUTE format('WITH moved AS (DELETE FROM public.%1$I WHERE %2$I >= $1 AND %2$I < $2 RETURNING %3$s) INSERT INTO public.%4$I (%3$s) SELECT %3$s FROM moved', p_table || '_default', p_column, v_columns, v_name) USING v_from, v_to;
  EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', p_table, v_name, v_from, v_to);
  RETURN true;
END $$;

-- Drops the partitions of whole days before p_day, and deletes older rows from the default partition, at most so many. Answers the partitions it dropped.
CREATE FUNCTION metrics_drop_before(p_table text, p_column text, p_day date, p_rows int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_name text;
  v_dropped int := 0;
BEGIN
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

-- The key's texts compare by bytes, in every table: rows are locked in this order by every process, and no change of a locale's version can spoil an index.
ALTER TABLE payment_metrics_5m RENAME TO payment_metrics_5m_0003;
ALTER INDEX payment_metrics_5m_pkey RENAME TO payment_metrics_5m_0003_pkey;
CREATE TABLE payment_metrics_5m (
  window_start      timestamptz NOT NULL,
  window_end        timestamptz NOT NULL,
  payment_method    text COLLATE "C" NOT NULL,
  currency          text COLLATE "C" NOT NULL,
  payment_status    text COLLATE "C" NOT NULL,
  total_count       bigint NOT NULL,
  total_amount      numeric(38, 4) NOT NULL,
  min_amount        numeric(19, 4) NOT NULL,
  max_amount        numeric(19, 4) NOT NULL,
  avg_amount        numeric GENERATED ALWAYS AS (total_amount / total_count) STORED,
  -- From here on folded, about a second behind the counts; null until the first fold.
  unique_customers  bigint,
  unique_merchants  bigint,
  customers_sketch  bytea,
  merchants_sketch  bytea,
  countries         jsonb,
  updated_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (window_start, payment_method, currency, payment_status),
  CHECK (total_count > 0)
) PARTITION BY RANGE (window_start);
CREATE TABLE payment_metrics_5m_default PARTITION OF payment_metrics_5m DEFAULT WITH (fillfactor = 50);

-- Percentile sketches by window and event type ("currency=EUR,payment_method=credit_card,payment_status=completed"); windows of 5 minutes, an hour and a day.
CREATE TABLE aggregate_histograms (
  time_window_start  timestamptz NOT NULL,
  time_window_end    timestamptz NOT NULL,
  metric_type        text COLLATE "C" NOT NULL,
  event_type         text COLLATE "C" NOT NULL,
  event_count        bigint NOT NULL,
  sketch             bytea NOT NULL,
  updated_at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (time_window_start, time_window_end, metric_type, event_type),
  CHECK (event_count > 0 AND time_window_end > time_window_start)
) PARTITION BY RANGE (time_window_start);
CREATE TABLE aggregate_histograms_default PARTITION OF aggregate_histograms DEFAULT WITH (fillfactor = 50);

-- Hits of rules over single events and stateful ones. An event's time follows from its position: the key holds each hit once.
CREATE TABLE dynamic_metrics (
  event_time      timestamptz NOT NULL,
  rule_name       text COLLATE "C" NOT NULL,
  stream          text COLLATE "C" NOT NULL,
  log_id          text COLLATE "C" NOT NULL,
  partition_id    int NOT NULL,
  stream_offset   bigint NOT NULL,
  rule_version    text COLLATE "C" NOT NULL,
  metric_type     text COLLATE "C" NOT NULL,
  transaction_id  text COLLATE "C",
  correlation_id  text,
  metric_value    numeric(19, 4),
  metric_data     jsonb,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (event_time, rule_name, stream, log_id, partition_id, stream_offset)
) PARTITION BY RANGE (event_time);
CREATE INDEX dynamic_metrics_by_transaction ON dynamic_metrics (transaction_id, event_time);
CREATE TABLE dynamic_metrics_default PARTITION OF dynamic_metrics DEFAULT;

-- Window rules: what is added up by rule, group and window. Average, ratio and percentage are computed when read.
CREATE TABLE rule_buckets (
  window_start  timestamptz NOT NULL,
  rule_name     text COLLATE "C" NOT NULL,
  rule_version  text COLLATE "C" NOT NULL,
  group_key     text COLLATE "C" NOT NULL,
  window_end    timestamptz NOT NULL,
  metric_type   text COLLATE "C" NOT NULL,
  event_count   bigint NOT NULL,
  matched       bigint NOT NULL,
  total         numeric(38, 4) NOT NULL,
  min_value     numeric(38, 4),
  max_value     numeric(38, 4),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (window_start, rule_name, rule_version, group_key, window_end),
  CHECK (window_end > window_start)
) PARTITION BY RANGE (window_start);
CREATE TABLE rule_buckets_default PARTITION OF rule_buckets DEFAULT WITH (fillfactor = 50);

-- Samples of a window's events to cluster: those whose message ids hash lowest.
CREATE TABLE cluster_samples (
  window_start  timestamptz NOT NULL,
  payload       bytea NOT NULL,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (window_start)
) PARTITION BY RANGE (window_start);
CREATE TABLE cluster_samples_default PARTITION OF cluster_samples DEFAULT WITH (fillfactor = 50);

-- The days at hand; from here on the metrics service makes them ahead.
SELECT metrics_make_partition(t.name, t.key, ((now() AT TIME ZONE 'UTC')::date + d))
FROM (VALUES ('payment_metrics_5m', 'window_start'), ('aggregate_histograms', 'time_window_start'), ('dynamic_metrics', 'event_time'), ('rule_buckets', 'window_start'), ('cluster_samples', 'window_start')) AS t(name, key),
  generate_series(-1, 2) AS d;

INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount, updated_at)
SELECT window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount, updated_at FROM payment_metrics_5m_0003;
DROP TABLE payment_metrics_5m_0003;

-- One compressed row a commit, until a fold has merged it into the tables.
CREATE TABLE metric_deltas (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payload     bytea NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE metric_deltas ALTER COLUMN payload SET STORAGE EXTERNAL;

-- State of stateful rules: what each commit changed of a partition, and from time to time all of it.
CREATE TABLE rule_state_log (
  stream        text COLLATE "C" NOT NULL,
  log_id        text COLLATE "C" NOT NULL,
  partition_id  int NOT NULL,
  next_offset   bigint NOT NULL,
  payload       bytea NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, log_id, partition_id, next_offset)
);
ALTER TABLE rule_state_log ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TABLE rule_state_snapshots (
  stream        text COLLATE "C" NOT NULL,
  log_id        text COLLATE "C" NOT NULL,
  partition_id  int NOT NULL,
  next_offset   bigint NOT NULL,
  payload       bytea NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, log_id, partition_id)
);
ALTER TABLE rule_state_snapshots ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE rule_versions (
  version     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  yaml        text NOT NULL,
  sha256      bytea NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  created_by  text,
  note        text
);
CREATE TABLE rule_activations (
  stream        text COLLATE "C" NOT NULL,
  log_id        text COLLATE "C" NOT NULL,
  partition_id  int NOT NULL,
  from_offset   bigint NOT NULL,
  version       bigint NOT NULL REFERENCES rule_versions (version),
  activated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, log_id, partition_id, from_offset)
);
