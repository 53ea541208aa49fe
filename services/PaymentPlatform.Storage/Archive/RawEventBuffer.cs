using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive.Parquet;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Archive;

/// <summary>
/// Gathers events for one Parquet file, already in columns: pages and row groups are encoded and compressed while events come in,
/// so that memory follows the compressed size and the CPU is spread. Used again and again; not thread-safe.
/// </summary>
public sealed class RawEventBuffer : IDisposable
{
    /// <summary>Rows of a row group: few enough for its statistics to prune, enough for its dictionaries to pay.</summary>
    public const int DefaultRowsPerGroup = 25_000;

    /// <summary>Payload bytes after which a row group ends early.</summary>
    private const long PayloadBytesPerGroup = 32 << 20;

    private readonly int _rowsPerGroup;
    private readonly PageCompressor _compressor = new();
    private readonly ArchiveColumns _columns;
    private readonly Int64Column? _archivedAt;
    private readonly List<SealedRowGroup> _groups = [];
    private bool _appending;
    private int _openRows;
    private long _openPayloadBytes;
    private long _openOffsetSum;
    private StreamPartition _partition;
    private byte[] _stream = [];
    private byte[] _logId = [];

    /// <param name="rowsPerGroup">A row group ends at this many rows.</param>
    /// <param name="ofArchived">For rows that are archived already, each with its own <c>archived_at</c>: <see cref="AppendArchived"/> instead of <see cref="Append(in RawEvent)"/>.</param>
    public RawEventBuffer(int rowsPerGroup = DefaultRowsPerGroup, bool ofArchived = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerGroup, 1);
        _rowsPerGroup = rowsPerGroup;
        _archivedAt = ofArchived ? new(ArchiveSchema.ArchivedAt, _compressor) : null;
        _columns = new(_compressor, rowsPerGroup);
    }

    public int RowCount { get; private set; }

    /// <summary>Rows without errors.</summary>
    public int ValidCount { get; private set; }

    /// <summary>The raw payloads' bytes, added up.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Memory that data holds, in bytes.</summary>
    public long BufferedBytes => _columns.BufferedBytes + (_archivedAt?.BufferedBytes ?? 0) + _groups.Sum(g => g.Content.Held);

    public long? MinTransactionTimestampMicros { get; private set; }

    public long? MaxTransactionTimestampMicros { get; private set; }

    public long? MinEnqueuedAtMicros { get; private set; }

    public long? MaxEnqueuedAtMicros { get; private set; }

    internal IReadOnlyList<SealedRowGroup> Groups => _groups;

    /// <exception cref="ArgumentOutOfRangeException">The amount does not fit decimal(19,4); nothing was appended.</exception>
    public void Append(in RawEvent e)
    {
        var transaction = e.Transaction;
        if (transaction.AmountScaled is { } amount && !DecimalColumn.Fits(amount))
            throw new ArgumentOutOfRangeException(nameof(e), amount, "The amount does not fit decimal(19,4).");
        // Whatever can fail does so before the first column grows: columns of different lengths would be a broken file.
        ArgumentNullException.ThrowIfNull(e.Partition.Stream);
        ArgumentNullException.ThrowIfNull(e.Partition.LogId);
        var origin = OriginText(e.Origin);
        var errors = e.Errors.Count == 0 ? default : _columns.ErrorsText.Write(e.Errors);
        Begin(ofArchived: false);
        AppendTransaction(transaction);
        AppendCorrelationId(e);
        AppendPosition(e);
        var columns = _columns;
        columns.MessageId.AppendNullable(e.MessageId, !e.MessageId.IsEmpty);
        columns.IsValid.Append(e.Errors.Count == 0);
        columns.Errors.AppendNullable(errors, !errors.IsEmpty);
        columns.Origin.Append(origin);
        columns.OriginId.AppendNullable(e.OriginId, !e.OriginId.IsEmpty);
        columns.Duplicate.Append(e.Duplicate);
        columns.RawPayload.Append(e.RawPayload);
        End(e.Offset, e.EnqueuedAtMicros, e.Transaction.TransactionTimestampMicros, e.Errors.Count == 0, e.RawPayload.Length);
    }

    /// <summary>Appends a row of an archived file as it is: every value, null or not, stays what it was.</summary>
    /// <exception cref="InvalidDataException">A column that is never null is null.</exception>
    public void AppendArchived(IArchivedRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        Begin(ofArchived: true);
        foreach (var column in _columns.All)
            Append(column, row);
        Append(_archivedAt!, row);
        End(
            row.Integer(ArchiveSchema.StreamOffset.Name),
            row.Integer(ArchiveSchema.EnqueuedAt.Name),
            row.IsNull(ArchiveSchema.TransactionTimestamp.Name) ? null : row.Integer(ArchiveSchema.TransactionTimestamp.Name),
            !row.IsNull(ArchiveSchema.IsValid.Name) && row.Boolean(ArchiveSchema.IsValid.Name),
            row.IsNull(ArchiveSchema.RawPayload.Name) ? 0 : row.Bytes(ArchiveSchema.RawPayload.Name).Length);
    }

    /// <summary>Forgets all rows. Keeps the memory for the next ones, but gives back what far exceeds the need.</summary>
    public void Clear()
    {
        _columns.Clear();
        _archivedAt?.Clear();
        foreach (var group in _groups)
            group.Release();
        _groups.Clear();
        _appending = false;
        _openRows = 0;
        _openPayloadBytes = _openOffsetSum = 0;
        RowCount = ValidCount = 0;
        PayloadBytes = 0;
        MinTransactionTimestampMicros = MaxTransactionTimestampMicros = MinEnqueuedAtMicros = MaxEnqueuedAtMicros = null;
        _compressor.Trim();
    }

    public void Dispose()
    {
        Clear();
        _compressor.Dispose();
    }

    /// <summary>Ends the open row group, if there is one.</summary>
    internal void Seal()
    {
        if (_openRows == 0)
            return;
        var content = new PooledSegments();
        var chunks = _columns.Finish(content);
        _groups.Add(new(_openRows, _openOffsetSum, content, chunks, _archivedAt?.Finish(content)));
        _openRows = 0;
        _openPayloadBytes = _openOffsetSum = 0;
    }

    private static ReadOnlySpan<byte> OriginText(EventOrigin origin) => origin switch
    {
        EventOrigin.Live => "live"u8,
        EventOrigin.Resubmission => "resubmission"u8,
        EventOrigin.Replay => "replay"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(origin), origin, "Unknown origin."),
    };

    private void AppendTransaction(ParsedTransaction transaction)
    {
        var columns = _columns;
        Append(columns.TransactionId, transaction.TransactionId);
        columns.TransactionTimestamp.AppendNullable(transaction.TransactionTimestampMicros);
        columns.Amount.AppendNullable(transaction.AmountScaled);
        Append(columns.Currency, transaction.Currency);
        Append(columns.PaymentMethod, transaction.PaymentMethod);
        Append(columns.PaymentStatus, transaction.PaymentStatus);
        Append(columns.CustomerId, transaction.CustomerId);
        Append(columns.CustomerEmail, transaction.CustomerEmail);
        Append(columns.CustomerCountry, transaction.CustomerCountry);
        Append(columns.MerchantId, transaction.MerchantId);
        Append(columns.MerchantName, transaction.MerchantName);
        Append(columns.MerchantCategory, transaction.MerchantCategory);
        Append(columns.TransactionType, transaction.TransactionType);
        Append(columns.Channel, transaction.Channel);
        Append(columns.DeviceType, transaction.DeviceType);
        Append(columns.Metadata, transaction.Metadata);
        Append(columns.ComplianceViolations, transaction.ComplianceViolations);
        Append(columns.ViolationSeverity, transaction.ViolationSeverity);
    }

    // The parser lets only valid UTF-8 through.
    private static void Append(TextColumn column, Utf8Text text) => column.AppendNullable(text.Span, text.HasValue, isValid: true);

    private void AppendCorrelationId(in RawEvent e)
    {
        var own = e.Transaction.CorrelationId;
        if (own.Length > 0)
            _columns.CorrelationId.Append(own.Span);
        else
            _columns.CorrelationId.AppendNullable(e.CorrelationId, !e.CorrelationId.IsEmpty);
    }

    private void AppendPosition(in RawEvent e)
    {
        var columns = _columns;
        // The texts come from one object per partition: comparing references is enough to see that nothing changed.
        var same = ReferenceEquals(_partition.Stream, e.Partition.Stream) && ReferenceEquals(_partition.LogId, e.Partition.LogId);
        if (!same)
        {
            _stream = Encoding.UTF8.GetBytes(e.Partition.Stream);
            _logId = Encoding.UTF8.GetBytes(e.Partition.LogId);
            _partition = e.Partition;
        }

        if (!same || !columns.Stream.TryAppendAgain())
            columns.Stream.Append(_stream);
        if (!same || !columns.StreamLogId.TryAppendAgain())
            columns.StreamLogId.Append(_logId);
        columns.StreamPartition.Append(e.Partition.PartitionId);
        columns.StreamOffset.Append(e.Offset);
        columns.EnqueuedAt.Append(e.EnqueuedAtMicros);
    }

    private static void Append(ColumnBuilder column, IArchivedRow row)
    {
        var name = column.Schema.Name;
        if (row.IsNull(name))
        {
            if (column.Schema.Required)
                throw new InvalidDataException($"The archived row has no {name}.");
            column.AppendNull();
            return;
        }

        switch (column)
        {
            case TextColumn text:
                text.Append(row.Bytes(name));
                break;
            case BinaryColumn binary:
                binary.Append(row.Bytes(name));
                break;
            case Int64Column int64:
                int64.Append(row.Integer(name));
                break;
            case Int32Column int32:
                int32.Append(checked((int)row.Integer(name)));
                break;
            case BooleanColumn boolean:
                boolean.Append(row.Boolean(name));
                break;
            case DecimalColumn amount:
                amount.AppendNullable(row.Scaled(name));
                break;
            default:
                throw new InvalidOperationException($"{name} can't be copied.");
        }
    }

    private void Begin(bool ofArchived)
    {
        if (ofArchived != _archivedAt is not null)
            throw new InvalidOperationException("New events and archived ones don't share a buffer.");
        if (_appending)
            throw new InvalidOperationException("An earlier append failed half-way: the columns may differ in length. Clear the buffer and read its events again.");
        _appending = true;
    }

    private void End(long offset, long enqueuedAtMicros, long? transactionTimestampMicros, bool valid, int payloadBytes)
    {
        RowCount++;
        _openRows++;
        _openOffsetSum += offset;
        if (valid)
            ValidCount++;
        PayloadBytes += payloadBytes;
        _openPayloadBytes += payloadBytes;
        MinEnqueuedAtMicros = Math.Min(MinEnqueuedAtMicros ?? long.MaxValue, enqueuedAtMicros);
        MaxEnqueuedAtMicros = Math.Max(MaxEnqueuedAtMicros ?? long.MinValue, enqueuedAtMicros);
        if (transactionTimestampMicros is { } timestamp)
        {
            MinTransactionTimestampMicros = Math.Min(MinTransactionTimestampMicros ?? long.MaxValue, timestamp);
            MaxTransactionTimestampMicros = Math.Max(MaxTransactionTimestampMicros ?? long.MinValue, timestamp);
        }

        _appending = false;
        if (_openRows >= _rowsPerGroup || _openPayloadBytes >= PayloadBytesPerGroup)
            Seal();
    }
}
