-- Way back: none needed; a day's rows are as right in its partition as in the default one.

-- 0005 made partitions of the days around its own, and left what it found of earlier days in the default partition. There they are deleted row by row when they get too old, and read through whenever a new day is made: each day gets its partition here.
-- The newest 500 at most, as each takes about five of the server's locks (64 a connection unless set otherwise) until this is committed.
SELECT metrics_make_partition(name, key, day)
FROM (
  SELECT 'payment_metrics_5m' AS name, 'window_start' AS key, (window_start AT TIME ZONE 'UTC')::date AS day FROM payment_metrics_5m_default
  UNION SELECT 'aggregate_histograms', 'time_window_start', (time_window_start AT TIME ZONE 'UTC')::date FROM aggregate_histograms_default
  UNION SELECT 'dynamic_metrics', 'event_time', (event_time AT TIME ZONE 'UTC')::date FROM dynamic_metrics_default
  UNION SELECT 'rule_buckets', 'window_start', (window_start AT TIME ZONE 'UTC')::date FROM rule_buckets_default
  UNION SELECT 'cluster_samples', 'window_start', (window_start AT TIME ZONE 'UTC')::date FROM cluster_samples_default
  UNION SELECT 'metric_clusters', 'window_start', (window_start AT TIME ZONE 'UTC')::date FROM metric_clusters_default
  ORDER BY day DESC LIMIT 500
) AS days;
