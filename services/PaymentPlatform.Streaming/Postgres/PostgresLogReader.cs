using System.Buffers;
using System.Data;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Reads what follows in several partitions with one query, and decodes it. NOTIFY tells when there is more.</summary>
internal sealed class PostgresLogReader(NpgsqlDataSource database, FetchTarget target) : LogReader
{
    /// <summary>Small record batches are put together up to here, so that the caller gets fewer, larger batches.</summary>
    private const int MergedBytes = 2 << 20;
    private const int MergedMessages = 10_000;

    private const string Sql = "SELECT * FROM stream_fetch($1, $2, $3, $4)";

    private byte[] _payload = [];

    public override async Task<long> FetchAsync(string logId, IReadOnlyList<FetchRequest> requests, CancellationToken cancellationToken)
    {
        var fetched = 0L;
        var gaps = new List<(StreamPartition Partition, long From, long To)>();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var command = new NpgsqlCommand(Sql, connection))
        {
            command.Parameters.Add(new() { Value = logId });
            command.Parameters.Add(new() { Value = requests.Select(r => r.Partition.Partition.PartitionId).ToArray() });
            command.Parameters.Add(new() { Value = requests.Select(r => r.Position).ToArray() });
            command.Parameters.Add(new() { Value = requests.Select(r => r.Budget).ToArray() });
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
            PostgresMessageBatch? open = null;
            var current = -1;
            var skipping = false;
            try
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    var index = (int)reader.GetInt64(0) - 1;
                    if (index != current)
                    {
                        fetched += Flush(requests, current, ref open);
                        (current, skipping) = (index, false);
                    }

                    if (skipping)
                        continue;
                    var request = requests[index];
                    var first = reader.GetInt64(1);
                    var next = reader.GetInt64(2);
                    var micros = (reader.GetDateTime(3).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
                    var uncompressed = reader.GetInt32(4);
                    var payload = await ReadPayloadAsync(reader, cancellationToken);
                    if (open is not null && (open.HeldBytes + uncompressed > MergedBytes || open.Count + (next - first) > MergedMessages))
                    {
                        var position = open.NextOffset;
                        fetched += Flush(requests, current, ref open);
                        open = new(request.Partition.Partition, position);
                    }

                    open ??= new(request.Partition.Partition, request.Position);
                    if (first > open.NextOffset)
                        gaps.Add((request.Partition.Partition, open.NextOffset, first));
                    try
                    {
                        open.Append(payload.Span, uncompressed, first, next, micros);
                    }
                    catch (InvalidDataException e)
                    {
                        skipping = true;
                        target.Corrupt(request, first, next, e.Message);
                    }
                }

                fetched += Flush(requests, current, ref open);
            }
            finally
            {
                open?.Dispose();
            }
        }

        foreach (var (partition, from, to) in gaps)
            await target.GapAsync(connection, partition, from, to, cancellationToken);
        return fetched;
    }

    private long Flush(IReadOnlyList<FetchRequest> requests, int index, ref PostgresMessageBatch? open)
    {
        var batch = open;
        open = null;
        if (batch is null)
            return 0;
        var bytes = batch.HeldBytes;
        if (batch.NextOffset == batch.FirstOffset)
        {
            batch.Dispose();
            return 0;
        }

        return target.Offer(requests[index], batch) ? bytes : 0;
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadPayloadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var length = reader.GetInt32(5);
        if (_payload.Length < length)
        {
            if (_payload.Length > 0)
                ArrayPool<byte>.Shared.Return(_payload);
            _payload = ArrayPool<byte>.Shared.Rent(length);
        }

        await using var stream = await reader.GetStreamAsync(6, cancellationToken);
        await stream.ReadExactlyAsync(_payload.AsMemory(0, length), cancellationToken);
        return _payload.AsMemory(0, length);
    }
}
