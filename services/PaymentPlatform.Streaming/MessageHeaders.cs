namespace PaymentPlatform.Streaming;

/// <summary>A message's headers: few, small, the same instance shared by the messages of a request. Names are lower case.</summary>
public sealed class MessageHeaders : IEquatable<MessageHeaders>
{
    public static MessageHeaders Empty { get; } = FromSorted([]);

    private readonly KeyValuePair<string, string>[] _items;

    public MessageHeaders(IEnumerable<KeyValuePair<string, string>> items) =>
        _items = [.. items.OrderBy(i => i.Key, StringComparer.Ordinal)];

    private MessageHeaders(KeyValuePair<string, string>[] sorted) => _items = sorted;

    /// <summary>Takes the array as it is: its items must be in ordinal order of their names.</summary>
    internal static MessageHeaders FromSorted(KeyValuePair<string, string>[] sorted) => new(sorted);

    public ReadOnlySpan<KeyValuePair<string, string>> Items => _items;

    public int Count => _items.Length;

    public string? this[string name]
    {
        get
        {
            foreach (var item in _items)
            {
                if (item.Key == name)
                    return item.Value;
            }

            return null;
        }
    }

    /// <summary>These headers with one more, or with another value of it.</summary>
    public MessageHeaders With(string name, string value) => new(_items.Where(i => i.Key != name).Append(new(name, value)));

    public bool Equals(MessageHeaders? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    public override bool Equals(object? obj) => Equals(obj as MessageHeaders);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items)
            hash.Add(item);
        return hash.ToHashCode();
    }
}
