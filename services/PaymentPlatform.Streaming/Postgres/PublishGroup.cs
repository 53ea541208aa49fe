using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Calls that share one append: all of it is taken, or nothing.</summary>
internal sealed class PublishGroup
{
    /// <summary>Uncompressed bytes, and messages, of one record batch.</summary>
    private const int MaxBatchBytes = 4 << 20;
    private const int MaxBatchMessages = 10_000;

    /// <summary>From here on the partitions are compressed in parallel.</summary>
    private const int ParallelBytes = 1 << 20;

    private readonly List<PublishCall> _calls = [];
    private readonly HashSet<(string Key, int Chunk)> _claims = [];

    public IReadOnlyList<PublishCall> Calls => _calls;

    public long Bytes { get; private set; }

    public int Messages { get; private set; }

    /// <returns>False when the group holds one of the call's claims already: the call must wait for this group's end.</returns>
    public bool TryAdd(PublishCall call)
    {
        foreach (var claim in call.Claims.Claims)
        {
            if (_claims.Contains((claim.Key, claim.Chunk)))
                return false;
        }

        foreach (var claim in call.Claims.Claims)
            _claims.Add((claim.Key, claim.Chunk));
        _calls.Add(call);
        Bytes += call.Bytes;
        Messages += call.Messages.Length;
        return true;
    }

    /// <summary>The claims that this append takes, in the order in which rows are locked.</summary>
    public List<IdempotencyClaim> FreshClaims()
    {
        var fresh = new List<IdempotencyClaim>(_claims.Count);
        foreach (var call in _calls)
            fresh.AddRange(call.Claims.Fresh());
        return fresh;
    }

    /// <summary>Encodes the messages that are to go in, in partition order.</summary>
    public EncodedBatch[] Encode(int partitions)
    {
        var open = new RecordBatchBuilder?[partitions];
        var all = new List<RecordBatchBuilder>(partitions);
        try
        {
            var hint = (int)Math.Min(Bytes / partitions + (Bytes / partitions >> 2), MaxBatchBytes);
            foreach (var call in _calls)
                Distribute(call, open, all, hint);
            // Stable: several batches of one partition stay in the order of their messages.
            var ordered = all.OrderBy(b => b.Partition).ToArray();
            var encoded = new EncodedBatch[ordered.Length];
            if (Bytes >= ParallelBytes && ordered.Length > 1)
                Parallel.For(0, ordered.Length, i => encoded[i] = ordered[i].Encode());
            else
                for (var i = 0; i < ordered.Length; i++)
                    encoded[i] = ordered[i].Encode();
            return encoded;
        }
        finally
        {
            foreach (var builder in all)
                builder.Dispose();
        }
    }

    /// <summary>The claims of this group that are taken already turn into repeats.</summary>
    public async Task MarkRepeatsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var claims = FreshClaims();
        var taken = await ClaimStore.ReadAsync(connection, claims, cancellationToken);
        foreach (var call in _calls)
        {
            for (var i = 0; i < call.Claims.Claims.Count; i++)
            {
                var claim = call.Claims.Claims[i];
                if (call.Claims.IsFresh(i) && taken.TryGetValue((claim.Key, claim.Chunk), out var earlier))
                    call.Claims.MarkRepeat(i, earlier.BodyHash, earlier.Outcome);
            }
        }
    }

    /// <summary>The one round trip that appends.</summary>
    public static async Task AppendAsync(
        NpgsqlConnection connection, string logId, long diskBudget, List<IdempotencyClaim> claims, EncodedBatch[] batches, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT stream_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", connection);
        var parameters = command.Parameters;
        parameters.Add(new() { Value = logId });
        parameters.Add(new() { Value = diskBudget });
        parameters.Add(new() { Value = claims.Select(c => c.Key).ToArray() });
        parameters.Add(new() { Value = claims.Select(c => c.Chunk).ToArray() });
        parameters.Add(ClaimStore.ByteArrays(claims.Select(c => c.BodyHash)));
        parameters.Add(ClaimStore.ByteArrays(claims.Select(c => c.Outcome)));
        parameters.Add(new() { Value = batches.Select(b => b.Partition).ToArray() });
        parameters.Add(new() { Value = batches.Select(b => b.Count).ToArray() });
        parameters.Add(new() { Value = batches.Select(b => b.UncompressedBytes).ToArray() });
        parameters.Add(ClaimStore.ByteArrays(batches.Select(b => b.Payload)));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Distribute(PublishCall call, RecordBatchBuilder?[] open, List<RecordBatchBuilder> all, int sizeHint)
    {
        var leftOut = call.Claims.LeftOut();
        var messages = call.Messages.Span;
        for (var i = 0; i < messages.Length; i++)
        {
            if (leftOut is not null && leftOut[i])
                continue;
            ref readonly var message = ref messages[i];
            var partition = message.PartitionKey.IsEmpty
                ? (int)((uint)call.KeylessPartition % (uint)open.Length)
                : KeyPartitioner.PartitionOf(message.PartitionKey.Span, open.Length);
            ref var builder = ref open[partition];
            if (builder is null || builder.Count >= MaxBatchMessages || builder.Length + RecordBatchBuilder.SizeOf(message) > MaxBatchBytes)
                all.Add(builder = new(partition, sizeHint));
            builder.Add(message);
        }
    }
}
