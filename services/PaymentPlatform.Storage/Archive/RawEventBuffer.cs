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
    private readonly List<SealedRowGroup> _groups = [];
    private bool _appending;
    private int _openRows;
    private long _openPayloadBytes;
    private long _openOffsetSum;
    private StreamPartition _partition;
    private byte[] _stream = [];
    private byte[] _logId = [];

    /// <param name="rowsPerGroup">A row group ends at this many rows.</param>
    public RawEventBuffer(int rowsPerGroup = DefaultRowsPerGroup)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerGroup, 1);
        _rowsPerGroup = rowsPerGroup;
        _columns = new(_compressor, rowsPerGroup);
    }

    public int RowCount { get; private set; }

    /// <summary>Rows without errors.</summary>
    public int ValidCount { get; private set; }

    /// <summary>The raw payloads' bytes, added up.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Memory that data holds, in bytes.</summary>
    public long BufferedBytes => _columns.BufferedBytes + _groups.Sum(g => g.Content.Held);

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
        if (_appending)
            throw new InvalidOperationException("An earlier append failed half-way: the columns may differ in length. Clear the buffer and read its events again.");

        _appending = true;
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
        Count(e);
        _appending = false;
        if (_openRows >= _rowsPerGroup || _openPayloadBytes >= PayloadBytesPerGroup)
            Seal();
    }

    /// <summary>Forgets all rows. Keeps the memory for the next ones, but gives back what far exceeds the need.</summary>
    public void Clear()
    {
        _columns.Clear();
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
        _groups.Add(new(_openRows, _openOffsetSum, content, chunks));
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

    private static void Append(TextColumn column, Utf8Text text) => column.AppendNullable(text.Span, text.HasValue);

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

    private void Count(in RawEvent e)
    {
        RowCount++;
        _openRows++;
        _openOffsetSum += e.Offset;
        if (e.Errors.Count == 0)
            ValidCount++;
        PayloadBytes += e.RawPayload.Length;
        _openPayloadBytes += e.RawPayload.Length;
        MinEnqueuedAtMicros = Math.Min(MinEnqueuedAtMicros ?? long.MaxValue, e.EnqueuedAtMicros);
        MaxEnqueuedAtMicros = Math.Max(MaxEnqueuedAtMicros ?? long.MinValue, e.EnqueuedAtMicros);
        if (e.Transaction.TransactionTimestampMicros is not { } timestamp)
            return;
        MinTransactionTimestampMicros = Math.Min(MinTransactionTimestampMicros ?? long.MaxValue, timestamp);
        MaxTransactionTimestampMicros = Math.Max(MaxTransactionTimestampMicros ?? long.MinValue, timestamp);
    }
}
