using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Repeats;

/// <summary>
/// Tells which events a broker has delivered before under the same <see cref="MessageIdentity"/>: repeats of a request whose first attempt died half-way. A repeat has the event's partition key, so it is in the same partition,
/// and the group's owner of the partition knows all that was taken there: from the table <c>consumed_keys</c>, which commits with the checkpoint. Costs nothing where events have no identity.
/// Used by one loop at a time.
/// </summary>
/// <remarks>A repeat that comes after the number of partitions was changed may be in another partition and is not recognised.</remarks>
public sealed partial class RepeatFilter(NpgsqlDataSource database, string consumerGroup, TimeProvider timeProvider, ILogger logger)
{
    private const int EventsABucket = 4096;
    private const int MaxCached = 50_000;
    private static readonly TimeSpan s_maxBackoff = TimeSpan.FromSeconds(5);

    private readonly Dictionary<StreamPartition, Dictionary<(string Key, long Bucket), Bucket>> _partitions = [];
    private long _batch;
    private byte[] _lastKey = [];
    private string _lastText = "";

    /// <summary>Has to end before the batch's messages are asked about. Waits for a database that is away.</summary>
    public async ValueTask PrepareAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        _batch++;
        if (Unknown(batch) is not { } unknown)
            return;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await LoadAsync(batch.Partition, unknown, cancellationToken);
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                // Npgsql does not always say that it was cancelled.
                cancellationToken.ThrowIfCancellationRequested();
                var backoff = TimeSpan.FromMilliseconds(Math.Min(s_maxBackoff.TotalMilliseconds, 100 << Math.Min(attempt, 10)));
                LogFault(logger, e.Message, backoff.TotalSeconds);
                await Task.Delay(backoff, timeProvider, cancellationToken);
            }
        }
    }

    /// <summary>True when the event came before; otherwise it counts as taken from now on.</summary>
    /// <param name="message">Of a batch that was prepared.</param>
    public bool IsRepeat(StreamPartition partition, in ReceivedMessage message)
    {
        if (message.Identity.Key.IsEmpty)
            return false;
        var (bucket, bit) = Math.DivRem(message.Identity.Index, EventsABucket);
        return !_partitions[partition][(TextOf(message.Identity.Key.Span), bucket)].Take((int)bit);
    }

    /// <summary>What was taken since the last call, to be written with the events it came from.</summary>
    public TakenKeys Cut()
    {
        List<TakenKeys.Row>? rows = null;
        foreach (var (partition, buckets) in _partitions)
        {
            foreach (var (key, bucket) in buckets)
            {
                if (bucket.Cut() is { } taken)
                    (rows ??= []).Add(new(partition, key.Key, key.Bucket, taken));
            }
        }

        return rows is null ? TakenKeys.None : new(rows);
    }

    /// <summary>What is held for the partition is void: the table alone says what was taken.</summary>
    public void Forget(StreamPartition partition) => _partitions.Remove(partition);

    public void ForgetAll() => _partitions.Clear();

    /// <summary>Bounds the memory. Only while all that was cut is committed; what the last prepared batch needs stays, since it may be half taken.</summary>
    public void Trim()
    {
        foreach (var buckets in _partitions.Values)
        {
            if (buckets.Count <= MaxCached)
                continue;
            foreach (var (key, _) in buckets.Where(b => !b.Value.IsDirty && b.Value.LastBatch != _batch).ToArray())
                buckets.Remove(key);
        }
    }

    private HashSet<(string Key, long Bucket)>? Unknown(MessageBatch batch)
    {
        HashSet<(string, long)>? unknown = null;
        Dictionary<(string, long), Bucket>? known = null;
        foreach (ref readonly var message in batch.Messages)
        {
            if (message.Identity.Key.IsEmpty)
                continue;
            known ??= CollectionsMarshal.GetValueRefOrAddDefault(_partitions, batch.Partition, out _) ??= [];
            var key = (TextOf(message.Identity.Key.Span), message.Identity.Index / EventsABucket);
            if (known.TryGetValue(key, out var bucket))
                bucket.LastBatch = _batch;
            else
                (unknown ??= []).Add(key);
        }

        return unknown;
    }

    private async Task LoadAsync(StreamPartition partition, HashSet<(string Key, long Bucket)> unknown, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT c.key, c.bucket, c.taken
            FROM unnest($4::text[], $5::bigint[]) AS w(key, bucket)
            JOIN consumed_keys c ON c.consumer_group = $1 AND c.stream = $2 AND c.partition_id = $3 AND c.key = w.key AND c.bucket = w.bucket
            """);
        command.Parameters.Add(new() { Value = consumerGroup });
        command.Parameters.Add(new() { Value = partition.Stream });
        command.Parameters.Add(new() { Value = partition.PartitionId });
        command.Parameters.Add(new() { Value = unknown.Select(u => u.Key).ToArray() });
        command.Parameters.Add(new() { Value = unknown.Select(u => u.Bucket).ToArray() });
        var known = _partitions[partition];
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                known[(reader.GetString(0), reader.GetInt64(1))] = new((byte[])reader[2]) { LastBatch = _batch };
        }

        foreach (var key in unknown)
            known.TryAdd(key, new([]) { LastBatch = _batch });
    }

    /// <summary>Events of one request follow each other: their key is made into a string once.</summary>
    private string TextOf(ReadOnlySpan<byte> key)
    {
        if (!key.SequenceEqual(_lastKey))
            (_lastKey, _lastText) = (key.ToArray(), Encoding.UTF8.GetString(key).Replace("\0", "", StringComparison.Ordinal));
        return _lastText;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The idempotency keys that were taken can't be read, trying again in {Seconds} s: {Fault}")]
    private static partial void LogFault(ILogger logger, string fault, double seconds);

    /// <summary>One bit an event, as many bytes as are needed.</summary>
    private sealed class Bucket(byte[] taken)
    {
        private byte[] _taken = taken;

        public bool IsDirty { get; private set; }

        /// <summary>The last batch that held an event of it.</summary>
        public long LastBatch { get; set; }

        /// <returns>False when it was taken already.</returns>
        public bool Take(int bit)
        {
            var (index, mask) = (bit >> 3, (byte)(1 << (bit & 7)));
            if (index < _taken.Length && (_taken[index] & mask) != 0)
                return false;
            if (index >= _taken.Length)
                Array.Resize(ref _taken, index + 1);
            _taken[index] |= mask;
            return IsDirty = true;
        }

        /// <returns>A copy of the bits, or null when none has come since the last call.</returns>
        public byte[]? Cut()
        {
            if (!IsDirty)
                return null;
            IsDirty = false;
            return [.. _taken];
        }
    }
}
