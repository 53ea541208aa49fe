using System.Buffers;

namespace PaymentPlatform.Simulator;

/// <summary>Events that go out together, one a line. Used again and again; its memory stays untouched until it is filled anew.</summary>
internal sealed class EventBatch
{
    private readonly ArrayBufferWriter<byte> _body = new(64 << 10);
    private readonly List<(int Start, GeneratedEvent Event)> _events = [];
    private readonly long[] _planted = new long[ViolationPatterns.Count];

    /// <summary>All lines, each with its end.</summary>
    public ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    public int Count => _events.Count;

    /// <summary>The first event's number among all that were made, from 1.</summary>
    public long FirstNumber { get; private set; }

    /// <summary>How many events of each pattern there are.</summary>
    public ReadOnlySpan<long> Planted => _planted;

    public GeneratedEvent this[int index] => _events[index].Event;

    public ReadOnlyMemory<byte> Line(int index) => _body.WrittenMemory.Slice(_events[index].Start, _events[index].Event.Length);

    public ReadOnlyMemory<byte> Id(int index) => Part(index, _events[index].Event.Id);

    /// <summary>The stream's partition key; empty for an event without a customer and an id.</summary>
    public ReadOnlyMemory<byte> Key(int index) => Part(index, _events[index].Event.Key);

    /// <param name="clock">The events' own time; null where all of them happen now.</param>
    public void Fill(TransactionGenerator generator, int count, long firstNumber, EventClock? clock, long nowMicros)
    {
        _body.ResetWrittenCount();
        _events.Clear();
        Array.Clear(_planted);
        FirstNumber = firstNumber;
        for (var i = 0; i < count; i++)
        {
            var start = _body.WrittenCount;
            var written = generator.Write(_body, clock?.Next(generator.Profile) ?? nowMicros);
            _events.Add((start, written));
            _planted[(int)written.Pattern]++;
            _body.Write("\n"u8);
        }
    }

    private ReadOnlyMemory<byte> Part(int index, Range part)
    {
        var line = Line(index);
        // A truncated event may have lost it.
        return part.End.Value <= line.Length ? line[part] : default;
    }
}
