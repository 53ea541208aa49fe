using System.Text;

namespace PaymentPlatform.Events;

/// <summary>A nullable UTF-8 string that points into somebody else's buffer: valid only as long as that buffer is.</summary>
public readonly struct Utf8Text
{
    private readonly ReadOnlyMemory<byte> _bytes;

    public Utf8Text(ReadOnlyMemory<byte> bytes)
    {
        _bytes = bytes;
        HasValue = true;
    }

    /// <summary>False for JSON null and for an absent field; an empty string has a value.</summary>
    public bool HasValue { get; }

    public bool IsNull => !HasValue;

    public ReadOnlySpan<byte> Span => _bytes.Span;

    public ReadOnlyMemory<byte> Memory => _bytes;

    public int Length => _bytes.Length;

    public bool Is(ReadOnlySpan<byte> utf8) => HasValue && Span.SequenceEqual(utf8);

    public override string? ToString() => HasValue ? Encoding.UTF8.GetString(Span) : null;
}
