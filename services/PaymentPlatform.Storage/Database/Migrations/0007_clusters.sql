-- Way back: DROP TABLE metric_clusters; ALTER TABLE cluster_samples DROP COLUMN clustered_from (its index goes along). All of it can be computed again from cluster_samples.

-- Clusters of a window's sample, the largest first. They follow from the sample: a rebuild does not compute them, and leaves it to the metrics service to follow the new samples.
CREATE TABLE metric_clusters (
  window_start          timestamptz NOT NULL,
  cluster               int NOT NULL,
  event_count           int NOT NULL,
  share                 numeric(5, 4) NOT NULL,
  mean_amount           numeric(19, 4) NOT NULL,
  min_amount            numeric(19, 4) NOT NULL,
  max_amount            numeric(19, 4) NOT NULL,
  payment_method        text COLLATE "C" NOT NULL,
  payment_method_share  numeric(5, 4) NOT NULL,
  currency              text COLLATE "C" NOT NULL,
  currency_share        numeric(5, 4) NOT NULL,
  sampled_events        int NOT NULL,
  sample_updated_at     timestamptz NOT NULL,
  created_at            timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (window_start, cluster),
  CHECK (cluster > 0 AND event_count > 0 AND event_count <= sampled_events)
) PARTITION BY RANGE (window_start);
CREATE TABLE metric_clusters_default PARTITION OF metric_clusters DEFAULT;
SELECT metrics_make_partition('metric_clusters', 'window_start', ((now() AT TIME ZONE 'UTC')::date + d)) FROM generate_series(-1, 2) AS d;

-- The sample's updated_at when its clusters were computed. A window of few events has none, and is not looked at again until its sample changes.
ALTER TABLE cluster_samples ADD COLUMN clustered_from timestamptz;
CREATE INDEX cluster_samples_changed ON cluster_samples (window_start) WHERE clustered_from IS DISTINCT FROM updated_at;
