-- Way back: stream_append as 0001 has it; ALTER TABLE stream_partitions DROP COLUMN last_enqueued_at. Nothing is lost.

-- A partition's times of arrival grow with its offsets, also when the server's clock steps back: who reads by arrival keeps the order of a key.
ALTER TABLE stream_partitions ADD COLUMN last_enqueued_at timestamptz;
UPDATE stream_partitions p
SET last_enqueued_at = (SELECT b.enqueued_at FROM stream_batches b WHERE b.log_id = p.log_id AND b.partition_id = p.partition_id ORDER BY b.first_offset DESC LIMIT 1);

-- As in 0001, but for the time of arrival.
CREATE OR REPLACE FUNCTION stream_append(
  p_log_id text, p_budget bigint,
  p_claim_keys text[], p_claim_chunks int[], p_claim_hashes bytea[], p_claim_outcomes bytea[],
  p_partitions int[], p_counts int[], p_sizes int[], p_payloads bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_first bigint;
  v_enqueued_at timestamptz;
  v_taken int;
BEGIN
  IF cardinality(p_partitions) > 0 AND (SELECT sum(stored_bytes) FROM stream_partitions WHERE log_id = p_log_id) > p_budget THEN
    RAISE EXCEPTION 'The stream has no room.' USING ERRCODE = 'PP003';
  END IF;
  IF cardinality(p_claim_keys) > 0 THEN
    INSERT INTO ingest_idempotency (key, chunk, body_hash, outcome)
    SELECT c.key, c.chunk, c.body_hash, c.outcome
    FROM unnest(p_claim_keys, p_claim_chunks, p_claim_hashes, p_claim_outcomes) AS c(key, chunk, body_hash, outcome)
    ORDER BY c.key COLLATE "C", c.chunk
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    IF v_taken < cardinality(p_claim_keys) THEN
      RAISE EXCEPTION 'A claim is taken already.' USING ERRCODE = 'PP002';
    END IF;
  END IF;
  FOR i IN 1 .. cardinality(p_partitions) LOOP
    UPDATE stream_partitions
    SET next_offset = next_offset + p_counts[i], stored_bytes = stored_bytes + octet_length(p_payloads[i]),
        last_enqueued_at = greatest(clock_timestamp(), last_enqueued_at + interval '1 microsecond')
    WHERE log_id = p_log_id AND partition_id = p_partitions[i]
    RETURNING next_offset - p_counts[i], last_enqueued_at INTO v_first, v_enqueued_at;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'The log % is gone.', p_log_id USING ERRCODE = 'PP001';
    END IF;
    INSERT INTO stream_batches (log_id, partition_id, first_offset, next_offset, enqueued_at, uncompressed_bytes, payload)
    VALUES (p_log_id, p_partitions[i], v_first, v_first + p_counts[i], v_enqueued_at, p_sizes[i], p_payloads[i]);
  END LOOP;
  IF cardinality(p_partitions) > 0 THEN
    PERFORM pg_notify('payment_stream', p_log_id);
  END IF;
END $$;
