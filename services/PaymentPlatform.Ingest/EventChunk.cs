using System.Buffers;
using System.Runtime.InteropServices;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest;

/// <summary>
/// Consecutive events of one request: cut together, published in one call, and with an Idempotency-Key taken once as a whole.
/// Used again and again; everything in it is void after <see cref="Clear"/>.
/// </summary>
internal sealed class EventChunk
{
    private readonly List<EventSlice> _slices = [];
    private byte[]? _owned;
    private Message[] _messages = new Message[16];
    private int[] _orders = new int[16];
    private byte[] _source = [];

    /// <summary>Holds the events' bytes.</summary>
    public byte[] Source => _source;

    public ReadOnlySpan<EventSlice> Slices => CollectionsMarshal.AsSpan(_slices);

    public int Count => _slices.Count;

    /// <summary>Index in the request of the first event.</summary>
    public long FirstIndex { get; set; }

    /// <summary>Zero-based number in the request.</summary>
    public int Number { get; set; }

    /// <summary>No chunk follows.</summary>
    public bool IsLast { get; set; }

    /// <summary>Only with an Idempotency-Key.</summary>
    public byte[]? BodyHash { get; set; }

    /// <summary>Bytes of the body that end with this chunk.</summary>
    public long RawBytes { get; set; }

    public ReadOnlyMemory<Message> Messages => _messages.AsMemory(0, MessageCount);

    /// <summary>The events' places in the chunk.</summary>
    public ReadOnlyMemory<int> MessageOrders => _orders.AsMemory(0, MessageCount);

    public int MessageCount { get; private set; }

    /// <summary>CloudEvents without an Idempotency-Key: one claim a message.</summary>
    public List<IdempotencyClaim> EventClaims { get; } = [];

    /// <summary>CloudEvents that come again within the chunk: the claim they repeat, and their place.</summary>
    public List<(int Claim, int Order)> Repeats { get; } = [];

    public RejectionList Rejections { get; } = new();

    public void Add(EventSlice slice) => _slices.Add(slice);

    /// <param name="order">The event's place in the chunk.</param>
    public void AddMessage(in Message message, int order)
    {
        if (MessageCount == _messages.Length)
        {
            Array.Resize(ref _messages, MessageCount * 2);
            Array.Resize(ref _orders, MessageCount * 2);
        }

        _messages[MessageCount] = message;
        _orders[MessageCount++] = order;
    }

    public void RemoveLastMessage() => MessageCount--;

    /// <summary>The event's place in the chunk.</summary>
    public int OrderOf(int message) => _orders[message];

    /// <summary>Takes out a message, with the events that repeat it.</summary>
    /// <param name="index">Its index among <see cref="Messages"/>.</param>
    /// <param name="orders">Gets the places in the chunk of the events that are out now.</param>
    public Message Remove(int index, List<int> orders)
    {
        var message = _messages[index];
        orders.Add(_orders[index]);
        MessageCount--;
        Array.Copy(_messages, index + 1, _messages, index, MessageCount - index);
        Array.Copy(_orders, index + 1, _orders, index, MessageCount - index);
        if (EventClaims.Count == 0)
            return message;

        EventClaims.RemoveAt(index);
        for (var i = index; i < EventClaims.Count; i++)
            EventClaims[i] = EventClaims[i] with { FirstMessage = i };
        orders.AddRange(Repeats.Where(repeat => repeat.Claim == index).Select(repeat => repeat.Order));
        Repeats.RemoveAll(repeat => repeat.Claim == index);
        for (var i = 0; i < Repeats.Count; i++)
        {
            if (Repeats[i].Claim > index)
                Repeats[i] = (Repeats[i].Claim - 1, Repeats[i].Order);
        }

        return message;
    }

    /// <summary>For what the events need besides their bytes.</summary>
    public ByteArena Arena { get; } = new();

    /// <summary>The text, copied when it does not lie in <see cref="Source"/> (the parser's scratch buffers are filled again by the next event).</summary>
    public ReadOnlyMemory<byte> Keep(ReadOnlyMemory<byte> text) =>
        text.IsEmpty || (MemoryMarshal.TryGetArray(text, out var array) && ReferenceEquals(array.Array, _source))
            ? text
            : Arena.Copy(text.Span);

    /// <summary>Reads from a buffer that somebody else owns.</summary>
    public void UseSource(byte[] source) => _source = source;

    /// <summary>Makes <see cref="Source"/> a pooled buffer of the chunk's own of at least this size, with its first bytes kept.</summary>
    public void GrowSource(int size, int keep)
    {
        if (_owned?.Length >= size)
            return;
        var grown = ArrayPool<byte>.Shared.Rent(size);
        _owned?.AsSpan(0, keep).CopyTo(grown);
        ReleaseSource();
        _source = _owned = grown;
    }

    /// <summary>Ready for the next chunk; a buffer of its own stays.</summary>
    public void Clear()
    {
        _slices.Clear();
        EventClaims.Clear();
        Repeats.Clear();
        Rejections.Clear();
        Arena.Reset();
        Array.Clear(_messages, 0, MessageCount);
        MessageCount = 0;
        RawBytes = 0;
        BodyHash = null;
        IsLast = false;
    }

    /// <summary>Ready for another request.</summary>
    public void Release()
    {
        Clear();
        ReleaseSource();
    }

    private void ReleaseSource()
    {
        if (_owned is not null)
            ArrayPool<byte>.Shared.Return(_owned);
        _owned = null;
        _source = [];
    }
}
