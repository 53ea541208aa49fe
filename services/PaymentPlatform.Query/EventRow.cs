using System.Data.Common;

namespace PaymentPlatform.Query;

/// <summary>The current row of a scan; its columns are those of <see cref="EventColumn.All"/>.</summary>
public sealed class EventRow(DbDataReader reader, IReadOnlyDictionary<string, string> blobNames)
{
    private static readonly int TransactionTime = EventColumn.OrdinalOf("transaction_timestamp"), Arrival = EventColumn.OrdinalOf("enqueued_at");
    private static readonly int LogId = EventColumn.OrdinalOf("stream_log_id"), Partition = EventColumn.OrdinalOf("stream_partition"), Offset = EventColumn.OrdinalOf("stream_offset");
    private static readonly int File = EventColumn.OrdinalOf(EventColumn.FileName);
    private byte[] _payload = [];

    public bool IsNull(int column) => reader.IsDBNull(column);

    /// <summary>Of the file that it is in.</summary>
    public string BlobName => Text(File);

    /// <summary>A text or JSON column; the file's column holds the blob's name.</summary>
    public string Text(int column) => EventColumn.All[column].Name == EventColumn.FileName ? blobNames[reader.GetString(column)] : reader.GetString(column);

    /// <summary>A time (microseconds since the Unix epoch) or an integer.</summary>
    public long Integer(int column) => reader.GetInt64(column);

    public decimal Amount(int column) => reader.GetDecimal(column);

    public bool Boolean(int column) => reader.GetBoolean(column);

    /// <summary>Valid until the next call.</summary>
    public ReadOnlySpan<byte> Payload(int column)
    {
        using var stream = reader.GetStream(column);
        var length = checked((int)stream.Length);
        if (_payload.Length < length)
            _payload = new byte[Math.Max(4096, length * 2)];
        stream.ReadExactly(_payload, 0, length);
        return _payload.AsSpan(0, length);
    }

    /// <summary>This row's place in the order by transaction time.</summary>
    public EventCursor Cursor(long generation) => CursorAt(IsNull(TransactionTime) ? Arrival : TransactionTime, generation);

    /// <summary>This row's place in the order of arrival.</summary>
    public EventCursor ArrivalCursor(long generation) => CursorAt(Arrival, generation);

    private EventCursor CursorAt(int time, long generation) => new(Integer(time), Text(LogId), (int)Integer(Partition), Integer(Offset), generation);
}
