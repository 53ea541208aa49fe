namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>The builders of all columns but archived_at, which is the same for a whole file and known only when that is written.</summary>
internal sealed class ArchiveColumns
{
    private readonly ColumnBuilder[] _all;

    public ArchiveColumns(PageCompressor compressor, int rowsPerGroup)
    {
        _all =
        [
            TransactionId = new(ArchiveSchema.TransactionId, compressor, new(rowsPerGroup)),
            TransactionTimestamp = new(ArchiveSchema.TransactionTimestamp, compressor),
            Amount = new(ArchiveSchema.Amount, compressor),
            Currency = new(ArchiveSchema.Currency, compressor),
            PaymentMethod = new(ArchiveSchema.PaymentMethod, compressor),
            PaymentStatus = new(ArchiveSchema.PaymentStatus, compressor),
            CustomerId = new(ArchiveSchema.CustomerId, compressor),
            CustomerEmail = new(ArchiveSchema.CustomerEmail, compressor),
            CustomerCountry = new(ArchiveSchema.CustomerCountry, compressor),
            MerchantId = new(ArchiveSchema.MerchantId, compressor),
            MerchantName = new(ArchiveSchema.MerchantName, compressor),
            MerchantCategory = new(ArchiveSchema.MerchantCategory, compressor),
            TransactionType = new(ArchiveSchema.TransactionType, compressor),
            Channel = new(ArchiveSchema.Channel, compressor),
            DeviceType = new(ArchiveSchema.DeviceType, compressor),
            CorrelationId = new(ArchiveSchema.CorrelationId, compressor),
            Metadata = new(ArchiveSchema.Metadata, compressor),
            ComplianceViolations = new(ArchiveSchema.ComplianceViolations, compressor),
            ViolationSeverity = new(ArchiveSchema.ViolationSeverity, compressor),
            MessageId = new(ArchiveSchema.MessageId, compressor),
            Stream = new(ArchiveSchema.Stream, compressor),
            StreamLogId = new(ArchiveSchema.StreamLogId, compressor),
            StreamPartition = new(ArchiveSchema.StreamPartition, compressor),
            StreamOffset = new(ArchiveSchema.StreamOffset, compressor),
            EnqueuedAt = new(ArchiveSchema.EnqueuedAt, compressor),
            IsValid = new(ArchiveSchema.IsValid, compressor),
            Errors = new(ArchiveSchema.Errors, compressor),
            Origin = new(ArchiveSchema.Origin, compressor),
            OriginId = new(ArchiveSchema.OriginId, compressor),
            Duplicate = new(ArchiveSchema.Duplicate, compressor),
            RawPayload = new(ArchiveSchema.RawPayload, compressor),
        ];
    }

    public TextColumn TransactionId { get; }

    public Int64Column TransactionTimestamp { get; }

    public DecimalColumn Amount { get; }

    public TextColumn Currency { get; }

    public TextColumn PaymentMethod { get; }

    public TextColumn PaymentStatus { get; }

    public TextColumn CustomerId { get; }

    public TextColumn CustomerEmail { get; }

    public TextColumn CustomerCountry { get; }

    public TextColumn MerchantId { get; }

    public TextColumn MerchantName { get; }

    public TextColumn MerchantCategory { get; }

    public TextColumn TransactionType { get; }

    public TextColumn Channel { get; }

    public TextColumn DeviceType { get; }

    public TextColumn CorrelationId { get; }

    public TextColumn Metadata { get; }

    public TextColumn ComplianceViolations { get; }

    public TextColumn ViolationSeverity { get; }

    public TextColumn MessageId { get; }

    public TextColumn Stream { get; }

    public TextColumn StreamLogId { get; }

    public Int32Column StreamPartition { get; }

    public Int64Column StreamOffset { get; }

    public Int64Column EnqueuedAt { get; }

    public BooleanColumn IsValid { get; }

    public TextColumn Errors { get; }

    public TextColumn Origin { get; }

    public TextColumn OriginId { get; }

    public BooleanColumn Duplicate { get; }

    public BinaryColumn RawPayload { get; }

    public ErrorsText ErrorsText { get; } = new();

    /// <summary>In the order of the schema.</summary>
    public ReadOnlySpan<ColumnBuilder> All => _all;

    public long BufferedBytes
    {
        get
        {
            long sum = 0;
            foreach (var column in _all)
                sum += column.BufferedBytes;
            return sum;
        }
    }

    /// <summary>Ends the row group of every column.</summary>
    public ColumnChunk[] Finish(PooledSegments content)
    {
        var chunks = new ColumnChunk[_all.Length];
        for (var i = 0; i < chunks.Length; i++)
            chunks[i] = _all[i].Finish(content);
        return chunks;
    }

    public void Clear()
    {
        foreach (var column in _all)
            column.Clear();
    }
}
