using System.Data.Common;
using System.Text;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>The current row of a merge.</summary>
internal sealed class MergedRow : IArchivedRow
{
    /// <summary>What a merge has to select for it.</summary>
    public static readonly string SelectList = string.Join(", ", ParquetSerializer.ColumnNames.Select(name => name switch
    {
        "transaction_timestamp" or "enqueued_at" or "archived_at" => $"epoch_us({name})",
        "stream_partition" => $"{name}::BIGINT",
        _ => name,
    }));

    private static readonly Dictionary<string, int> Ordinals = ParquetSerializer.ColumnNames.Index().ToDictionary(c => c.Item, c => c.Index);

    private readonly DbDataReader _reader;
    private readonly int _payload = Ordinals["raw_payload"];
    private byte[] _bytes = new byte[4096];

    public MergedRow(DbDataReader reader) => _reader = reader;

    public bool IsNull(string column) => _reader.IsDBNull(Ordinals[column]);

    public ReadOnlySpan<byte> Bytes(string column)
    {
        var ordinal = Ordinals[column];
        if (ordinal != _payload)
        {
            var text = _reader.GetString(ordinal);
            Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
            return _bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, _bytes));
        }

        using var stream = _reader.GetStream(ordinal);
        var length = checked((int)stream.Length);
        Reserve(length);
        stream.ReadExactly(_bytes, 0, length);
        return _bytes.AsSpan(0, length);
    }

    public long Integer(string column) => _reader.GetInt64(Ordinals[column]);

    public bool Boolean(string column) => _reader.GetBoolean(Ordinals[column]);

    public Int128 Scaled(string column) => (Int128)(_reader.GetDecimal(Ordinals[column]) * 10_000);

    private void Reserve(int length)
    {
        if (_bytes.Length < length)
            _bytes = new byte[length * 2];
    }
}
