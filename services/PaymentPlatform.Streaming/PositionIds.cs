using System.Buffers.Text;
using System.Text;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming;

/// <summary>Ids for the messages of one partition whose producer gave them none: their position, so that every reader finds the same. Not thread-safe.</summary>
public sealed class PositionIds
{
    private const int MaxDigits = 20;

    private readonly int _prefix;
    private readonly byte[] _id;

    public PositionIds(StreamPartition partition)
    {
        var prefix = $"{partition.LogId}-{partition.PartitionId}-";
        _id = new byte[Encoding.UTF8.GetByteCount(prefix) + MaxDigits];
        _prefix = Encoding.UTF8.GetBytes(prefix, _id);
    }

    /// <returns>UTF-8: log id, partition id and offset, with hyphens between them. Good until the next call.</returns>
    public ReadOnlySpan<byte> Of(long offset)
    {
        Utf8Formatter.TryFormat(offset, _id.AsSpan(_prefix), out var digits);
        return _id.AsSpan(0, _prefix + digits);
    }
}
