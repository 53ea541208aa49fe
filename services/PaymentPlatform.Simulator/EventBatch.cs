using System.Buffers;

namespace PaymentPlatform.Simulator;

/// <summary>Events that go out together, one a line. Used again and again; its memory stays untouched until it is filled anew.</summary>
internal sealed class EventBatch
{
    private readonly ArrayBufferWriter<byte> _body = new(64 << 10);
    private readonly List<(int Start, GeneratedEvent Event)> _events = [];

    /// <summary>All lines, each with its end.</summary>
    public ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    public int Count => _events.Count;

    public GeneratedEvent this[int index] => _events[index].Event;

    public ReadOnlyMemory<byte> Line(int index) => _body.WrittenMemory.Slice(_events[index].Start, _events[index].Event.Length);

    public void Fill(TransactionGenerator generator, int count, long nowMicros)
    {
        _body.ResetWrittenCount();
        _events.Clear();
        for (var i = 0; i < count; i++)
        {
            var start = _body.WrittenCount;
            _events.Add((start, generator.Write(_body, nowMicros)));
            _body.Write("\n"u8);
        }
    }
}
