using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Schema;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Reads archived files back through Parquet.Net.</summary>
internal static class ArchiveReader
{
    public static async IAsyncEnumerable<ArchivedEvent> ReadAsync(Stream parquet, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var reader = await OpenAsync(parquet, cancellationToken);
        foreach (var group in reader.RowGroups)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = await ReadGroupAsync(group, cancellationToken);
            foreach (var row in rows)
                yield return row;
        }
    }

    /// <summary>Opens a file and checks that it is one of this archive's, of a version that this code knows.</summary>
    public static async Task<ParquetReader> OpenAsync(Stream parquet, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parquet);
        if (!parquet.CanSeek)
            throw new ArgumentException("The stream must be seekable: Parquet is read from its end.", nameof(parquet));
        ParquetReader reader;
        try
        {
            reader = await ParquetReader.CreateAsync(parquet, cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new InvalidDataException($"The file can't be opened as Parquet: {exception.Message}", exception);
        }

        if (!reader.CustomMetadata.TryGetValue(Footer.SchemaVersionKey, out var text) || !int.TryParse(text, out var version))
            throw new InvalidDataException($"The file is not from this archive: its metadata lacks {Footer.SchemaVersionKey}.");
        if (version > ParquetSerializer.SchemaVersion)
            throw new InvalidDataException($"The file has schema version {version}, this code knows up to {ParquetSerializer.SchemaVersion}: use a newer version of PaymentPlatform.");
        return reader;
    }

    private static async Task<ArchivedEvent[]> ReadGroupAsync(ParquetRowGroupReader group, CancellationToken cancellationToken)
    {
        try
        {
            return await new GroupReader(group, cancellationToken).ReadAsync();
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or InvalidDataException))
        {
            throw new InvalidDataException($"A row group of the file can't be read: {exception.Message}", exception);
        }
    }

    private sealed class GroupReader(ParquetRowGroupReader group, CancellationToken cancellationToken)
    {
        private readonly int _rows = checked((int)group.RowCount);

        public async Task<ArchivedEvent[]> ReadAsync()
        {
            var transactionId = await TextAsync(ArchiveSchema.TransactionId);
            var transactionTimestamp = await NullableAsync<long>(ArchiveSchema.TransactionTimestamp);
            var amount = await AmountAsync();
            var currency = await TextAsync(ArchiveSchema.Currency);
            var paymentMethod = await TextAsync(ArchiveSchema.PaymentMethod);
            var paymentStatus = await TextAsync(ArchiveSchema.PaymentStatus);
            var customerId = await TextAsync(ArchiveSchema.CustomerId);
            var customerEmail = await TextAsync(ArchiveSchema.CustomerEmail);
            var customerCountry = await TextAsync(ArchiveSchema.CustomerCountry);
            var merchantId = await TextAsync(ArchiveSchema.MerchantId);
            var merchantName = await TextAsync(ArchiveSchema.MerchantName);
            var merchantCategory = await TextAsync(ArchiveSchema.MerchantCategory);
            var transactionType = await TextAsync(ArchiveSchema.TransactionType);
            var channel = await TextAsync(ArchiveSchema.Channel);
            var deviceType = await TextAsync(ArchiveSchema.DeviceType);
            var correlationId = await TextAsync(ArchiveSchema.CorrelationId);
            var metadata = await TextAsync(ArchiveSchema.Metadata);
            var complianceViolations = await TextAsync(ArchiveSchema.ComplianceViolations);
            var violationSeverity = await TextAsync(ArchiveSchema.ViolationSeverity);
            var messageId = await TextAsync(ArchiveSchema.MessageId);
            var stream = await TextAsync(ArchiveSchema.Stream);
            var streamLogId = await TextAsync(ArchiveSchema.StreamLogId);
            var streamPartition = await RequiredAsync<int>(ArchiveSchema.StreamPartition);
            var streamOffset = await RequiredAsync<long>(ArchiveSchema.StreamOffset);
            var enqueuedAt = await RequiredAsync<long>(ArchiveSchema.EnqueuedAt);
            var archivedAt = await RequiredAsync<long>(ArchiveSchema.ArchivedAt);
            var isValid = await NullableAsync<bool>(ArchiveSchema.IsValid);
            var errors = await TextAsync(ArchiveSchema.Errors);
            var origin = await TextAsync(ArchiveSchema.Origin);
            var originId = await TextAsync(ArchiveSchema.OriginId);
            var duplicate = await NullableAsync<bool>(ArchiveSchema.Duplicate);
            var rawPayload = await BytesAsync(ArchiveSchema.RawPayload);

            var events = new ArchivedEvent[_rows];
            for (var i = 0; i < _rows; i++)
            {
                events[i] = new()
                {
                    TransactionId = transactionId[i],
                    TransactionTimestampMicros = transactionTimestamp[i],
                    Amount = amount[i],
                    Currency = currency[i],
                    PaymentMethod = paymentMethod[i],
                    PaymentStatus = paymentStatus[i],
                    CustomerId = customerId[i],
                    CustomerEmail = customerEmail[i],
                    CustomerCountry = customerCountry[i],
                    MerchantId = merchantId[i],
                    MerchantName = merchantName[i],
                    MerchantCategory = merchantCategory[i],
                    TransactionType = transactionType[i],
                    Channel = channel[i],
                    DeviceType = deviceType[i],
                    CorrelationId = correlationId[i],
                    Metadata = metadata[i],
                    ComplianceViolations = complianceViolations[i],
                    ViolationSeverity = violationSeverity[i],
                    MessageId = messageId[i],
                    Partition = new StreamPartition(Present(stream[i], ArchiveSchema.Stream), Present(streamLogId[i], ArchiveSchema.StreamLogId), streamPartition[i]),
                    Offset = streamOffset[i],
                    EnqueuedAtMicros = enqueuedAt[i],
                    ArchivedAtMicros = archivedAt[i],
                    IsValid = isValid[i] ?? false,
                    Errors = errors[i],
                    Origin = Origin(origin[i]),
                    OriginId = originId[i],
                    Duplicate = duplicate[i] ?? false,
                    RawPayload = Present(rawPayload[i], ArchiveSchema.RawPayload),
                };
            }

            return events;
        }

        private async Task<string?[]> TextAsync(ColumnSchema column)
        {
            var values = new string?[_rows];
            await group.ReadAsync(Attached(new DataField(column.Name, typeof(string), !column.Required)), values.AsMemory(), cancellationToken: cancellationToken);
            return values;
        }

        private async Task<byte[]?[]> BytesAsync(ColumnSchema column)
        {
            var values = new byte[]?[_rows];
            await group.ReadAsync(Attached(new DataField(column.Name, typeof(byte[]), !column.Required)), values.AsMemory(), cancellationToken: cancellationToken);
            return values;
        }

        private async Task<decimal?[]> AmountAsync()
        {
            var values = new decimal?[_rows];
            var field = new DecimalDataField(ArchiveSchema.Amount.Name, ColumnSchema.DecimalPrecision, ColumnSchema.DecimalScale, isNullable: true);
            await group.ReadAsync(Attached(field), values.AsMemory(), cancellationToken: cancellationToken);
            return values;
        }

        /// <summary>Timestamps are read as the integers they are: exact, and without DateTime's range.</summary>
        private async Task<T?[]> NullableAsync<T>(ColumnSchema column)
            where T : struct
        {
            var values = new T?[_rows];
            await group.ReadAsync(Attached(new DataField(column.Name, typeof(T), isNullable: true)), values.AsMemory(), cancellationToken: cancellationToken);
            return values;
        }

        private Task<T[]> RequiredAsync<T>(ColumnSchema column)
            where T : struct => ArchiveReader.RequiredAsync<T>(group, column, cancellationToken);

        private static TValue Present<TValue>(TValue? value, ColumnSchema column)
            where TValue : class => value ?? throw new InvalidDataException($"{column.Name} is null.");

        private static EventOrigin Origin(string? text) => text switch
        {
            "live" => EventOrigin.Live,
            "resubmission" => EventOrigin.Resubmission,
            "replay" => EventOrigin.Replay,
            _ => throw new InvalidDataException($"Unknown origin '{text}'."),
        };
    }

    public static async Task<T[]> RequiredAsync<T>(ParquetRowGroupReader group, ColumnSchema column, CancellationToken cancellationToken)
        where T : struct
    {
        var values = new T[group.RowCount];
        await group.ReadAsync(Attached(new DataField(column.Name, typeof(T), isNullable: false)), values.AsMemory(), cancellationToken: cancellationToken);
        return values;
    }

    /// <summary>Parquet.Net reads only fields that belong to a schema.</summary>
    private static DataField Attached(DataField field) => new ParquetSchema(field).DataFields[0];
}
