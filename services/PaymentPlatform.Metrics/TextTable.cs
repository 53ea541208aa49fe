using System.Diagnostics.CodeAnalysis;

namespace PaymentPlatform.Metrics;

/// <summary>Numbers the few distinct texts of a batch's keys, so that an event costs a look-up and no string.</summary>
internal sealed class TextTable
{
    /// <summary>Longer texts are cut: an index row has its limits, and no payment method needs more.</summary>
    public const int MaxLength = 200;

    private readonly Dictionary<byte[], int> _byBytes = new(Utf8Comparer.Instance);
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly Dictionary<string, int> _byText = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];

    public TextTable() => _lookup = _byBytes.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => _texts.Count;

    public string this[int id] => _texts[id];

    public int IdOf(ReadOnlySpan<byte> utf8) => _lookup.TryGetValue(utf8, out var id) ? id : Add(utf8);

    public void Clear()
    {
        _byBytes.Clear();
        _byText.Clear();
        _texts.Clear();
    }

    // Different bytes can be one text once they are cleaned, and must then be one row.
    private int Add(ReadOnlySpan<byte> utf8)
    {
        var text = DatabaseText.Clean(utf8, MaxLength);
        if (!_byText.TryGetValue(text, out var id))
        {
            id = _texts.Count;
            _texts.Add(text);
            _byText.Add(text, id);
        }

        if (utf8.Length <= MaxLength)
            _lookup[utf8] = id;
        return id;
    }

    private sealed class Utf8Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static Utf8Comparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        // Seeded anew in each process: senders can't choose texts that collide.
        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
