using System.Buffers;
using Parquet;
using Parquet.Meta;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Looks at a finished file through Parquet.Net, code that shares nothing with the encoder, before the file is stored.</summary>
internal static class ArchiveVerifier
{
    public static async Task VerifyAsync(ParquetFile file, CancellationToken cancellationToken)
    {
        // Also finds memory that was given back to the pool too early.
        if (!file.Hash().AsSpan().SequenceEqual(file.Sha256))
            throw new InvalidDataException("The file's content changed after it was written.");

        await using var stream = file.OpenRead();
        await using var reader = await ArchiveReader.OpenAsync(stream, cancellationToken);
        var metadata = reader.Metadata ?? throw new InvalidDataException("The file has no metadata.");
        CheckSchema(metadata.Schema);
        var expected = file.Expected.ToArray();
        Check(metadata.NumRows == expected.Sum(g => (long)g.Rows), $"The file says it has {metadata.NumRows} rows, {expected.Sum(g => g.Rows)} were written.");
        Check(reader.RowGroupCount == expected.Length, $"The file has {reader.RowGroupCount} row groups, {expected.Length} were written.");
        CheckFilters(file, metadata);
        for (var i = 0; i < expected.Length; i++)
            await CheckGroupAsync(reader.RowGroups[i], expected[i], i, cancellationToken);
    }

    /// <summary>A damaged filter would hide events: ours must be read back whole, and be where the other reader finds them.</summary>
    private static void CheckFilters(ParquetFile file, FileMetaData metadata)
    {
        var found = metadata.RowGroups.ConvertAll(group => group.Columns[0].MetaData);
        Check(found.TrueForAll(c => c?.BloomFilterOffset > 0 && c.BloomFilterLength > 0), "A row group of the file has no Bloom filter.");
        var length = (int)(file.Length - found.Min(c => c!.BloomFilterOffset!.Value));
        var tail = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            file.Content.Slice(file.Length - length).CopyTo(tail);
            var filters = TransactionIdFilters.Read(tail.AsSpan(0, length), file.Length, file.RowCount, out _);
            Check(filters?.BlockCounts.Count == found.Count, "The file's Bloom filters are not those that were written.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(tail);
        }
    }

    private static void CheckSchema(List<SchemaElement> schema)
    {
        Check(schema.Count == ArchiveSchema.Columns.Length + 1, $"The file has {schema.Count - 1} columns, {ArchiveSchema.Columns.Length} were written.");
        for (var i = 0; i < ArchiveSchema.Columns.Length; i++)
        {
            var column = ArchiveSchema.Columns[i];
            var found = schema[i + 1];
            Check(
                found.Name == column.Name
                    && (int?)found.Type == (int)column.Type
                    && found.RepetitionType == (column.Required ? FieldRepetitionType.REQUIRED : FieldRepetitionType.OPTIONAL)
                    && HasAnnotation(found, column),
                $"Column {i} of the file ({found.Name}) is not the {column.Name} that was written.");
        }
    }

    private static bool HasAnnotation(SchemaElement found, ColumnSchema column) => column.Annotation switch
    {
        Annotation.Text => found.LogicalType?.STRING is not null,
        Annotation.TimestampMicros => found.LogicalType?.TIMESTAMP is { IsAdjustedToUTC: true, Unit.MICROS: not null },
        Annotation.Decimal19Scale4 => found.TypeLength == ColumnSchema.DecimalLength
            && found.LogicalType?.DECIMAL is { Precision: ColumnSchema.DecimalPrecision, Scale: ColumnSchema.DecimalScale },
        _ => found.LogicalType is null,
    };

    private static async Task CheckGroupAsync(ParquetRowGroupReader group, ExpectedRowGroup expected, int index, CancellationToken cancellationToken)
    {
        Check(group.RowCount == expected.Rows, $"Row group {index} has {group.RowCount} rows, {expected.Rows} were written.");
        foreach (var chunk in group.RowGroup.Columns)
        {
            var metadata = chunk.MetaData ?? throw new InvalidDataException($"A column of row group {index} has no metadata.");
            Check(metadata.NumValues == expected.Rows, $"Column {metadata.PathInSchema[0]} of row group {index} has {metadata.NumValues} values, {expected.Rows} were written.");
        }

        long[] offsets;
        try
        {
            offsets = await ArchiveReader.RequiredAsync<long>(group, ArchiveSchema.StreamOffset, cancellationToken);
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or InvalidDataException))
        {
            throw new InvalidDataException($"Row group {index} can't be read: {exception.Message}", exception);
        }

        long sum = 0;
        foreach (var offset in offsets)
            sum = unchecked(sum + offset);
        Check(sum == expected.OffsetSum, $"The stream offsets of row group {index} are not those that were written.");
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidDataException(otherwise);
    }
}
