namespace PaymentPlatform.Storage.Archive;

/// <summary>A row of an archived file as <see cref="RawEventBuffer.AppendArchived"/> asks for it, column by column: <see cref="ParquetSerializer.ColumnNames"/>.</summary>
public interface IArchivedRow
{
    bool IsNull(string column);

    /// <summary>A text (UTF-8) or the payload; valid until the next call.</summary>
    ReadOnlySpan<byte> Bytes(string column);

    /// <summary>An integer, or a time in microseconds since the Unix epoch.</summary>
    long Integer(string column);

    bool Boolean(string column);

    /// <summary>The amount in ten-thousandths.</summary>
    Int128 Scaled(string column);
}
