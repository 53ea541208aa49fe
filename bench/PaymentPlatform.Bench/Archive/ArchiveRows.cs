using System.Buffers;
using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Simulator;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Bench.Archive;

/// <summary>The simulator's events, of about 1 kB.</summary>
internal sealed class ArchiveRows
{
    private static readonly StreamPartition[] s_partitions = [.. Enumerable.Range(0, 4).Select(i => new StreamPartition("payments", "01978f6e-5f3a-7e2b-9c7d-2f9f0d7f7a11", i))];

    private static readonly TransactionParserOptions s_options = new() { CardData = CardDataMode.Allow };

    private readonly TransactionParser _parser = new(s_options);
    private readonly ParseResult[] _rows;
    private readonly byte[][] _messageIds;
    private readonly long _startMicros = new DateTimeOffset(2025, 12, 5, 14, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000;

    public ArchiveRows(int count)
    {
        var generator = new TransactionGenerator(20251205);
        var output = new ArrayBufferWriter<byte>();
        _rows = new ParseResult[count];
        _messageIds = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            output.ResetWrittenCount();
            generator.Write(output, _startMicros + (i * 33L));
            // For the peer, which takes whole columns: a parser for each event, as its texts live until its next call.
            _rows[i] = new TransactionParser(s_options).Parse(output.WrittenSpan.ToArray(), EnqueuedAt(i));
            _messageIds[i] = Encoding.UTF8.GetBytes(Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(_startMicros / 1000)).ToString());
        }
    }

    public int Count => _rows.Length;

    public ParsedTransaction Transaction(int i) => _rows[i].Transaction;

    public ReadOnlyMemory<byte> Payload(int i) => _rows[i].Payload;

    public byte[] MessageId(int i) => _messageIds[i];

    public StreamPartition Partition(int i) => s_partitions[i * s_partitions.Length / _rows.Length];

    /// <summary>A batch of 250 gets one time, as on the stream.</summary>
    public long EnqueuedAt(int i) => _startMicros + (i / 250 * 8_250L) + 5_000;

    public ParseResult Parse(int i) => _parser.Parse(_rows[i].Payload, EnqueuedAt(i));

    public RawEvent Event(ParseResult parsed, int i, long offset) => new()
    {
        Partition = Partition(i),
        Offset = offset,
        EnqueuedAtMicros = EnqueuedAt(i),
        MessageId = _messageIds[i],
        CorrelationId = default,
        RawPayload = parsed.Payload.Span,
        Transaction = parsed.Transaction,
        Errors = parsed.Errors,
    };
}
