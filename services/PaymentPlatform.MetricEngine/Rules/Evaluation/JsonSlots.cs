using System.Text.Json;
using PaymentPlatform.Events;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// Fills the slots of the asked-for paths in one walk: over <c>metadata</c> alone, or over the whole event when a rule asks for a field that the parser doesn't know.
/// Of a name that is there twice the first one counts, as it does for the parser.
/// </summary>
internal sealed class JsonSlots
{
    private const int MaxDepth = 1_001;

    private static readonly byte[] MetadataName = "metadata"u8.ToArray();

    private readonly ulong[] _nesting = new ulong[MaxDepth / 64 + 1];
    private readonly PathTrie _root = new();
    private Slot[] _slots = [];
    private byte[] _scratch = [];
    private int _scratchUsed;
    private ReadOnlyMemory<byte> _source;

    /// <returns>The path's slot.</returns>
    public int Add(string[] parts)
    {
        var slot = _slots.Length;
        Array.Resize(ref _slots, slot + 1);
        _root.Add(parts, slot);
        return slot;
    }

    public ref readonly Slot this[int slot] => ref _slots[slot];

    public ReadOnlySpan<byte> TextOf(in Slot slot) => slot.InScratch ? _scratch.AsSpan(slot.Start, slot.Length) : _source.Span.Slice(slot.Start, slot.Length);

    /// <param name="payload">The whole event, well-formed.</param>
    /// <param name="metadata">Its metadata object; empty when there is none.</param>
    public void Fill(ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte> metadata)
    {
        if (_slots.Length == 0)
            return;
        Array.Clear(_slots);
        _scratchUsed = 0;
        var inMetadata = _root.Find(MetadataName);
        var onlyMetadata = inMetadata is not null && _root.ChildCount == 1;
        _source = onlyMetadata ? metadata : payload.Span.StartsWith("\uFEFF"u8) ? payload[3..] : payload;
        if (_source.IsEmpty)
            return;
        if (_scratch.Length < _source.Length)
            _scratch = new byte[Math.Max(1_024, _source.Length)];

        var reader = new JsonScanner(_source.Span, _nesting);
        reader.Read();
        if (onlyMetadata)
            Take(ref reader, inMetadata!);
        else
            ReadObject(ref reader, _root);
    }

    private void ReadObject(ref JsonScanner reader, PathTrie node)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var child = reader.ValueIsEscaped ? FindEscaped(ref reader, node) : node.Find(reader.ValueSpan);
            reader.Read();
            if (child is not null)
                Take(ref reader, child);
            else if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                reader.Skip();
        }
    }

    private static PathTrie? FindEscaped(ref JsonScanner reader, PathTrie node)
    {
        if (reader.ValueSpan.Length > 1_024)
            return null;
        Span<byte> name = stackalloc byte[1_024];
        return node.Find(name[..reader.CopyString(name)]);
    }

    private void Take(ref JsonScanner reader, PathTrie node)
    {
        if (node.Slot < 0 || _slots[node.Slot].Kind != SlotKind.Missing)
        {
            Descend(ref reader, node);
            return;
        }

        ref var slot = ref _slots[node.Slot];
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                slot.Kind = SlotKind.Text;
                if (reader.ValueIsEscaped)
                {
                    (slot.InScratch, slot.Start) = (true, _scratchUsed);
                    slot.Length = reader.CopyString(_scratch.AsSpan(_scratchUsed));
                    _scratchUsed += slot.Length;
                }
                else
                {
                    (slot.Start, slot.Length) = (reader.TokenStartIndex + 1, reader.ValueSpan.Length);
                }

                break;
            case JsonTokenType.Number:
                (slot.Kind, slot.Start, slot.Length) = (SlotKind.Number, reader.TokenStartIndex, reader.ValueSpan.Length);
                break;
            case JsonTokenType.True:
                slot.Kind = SlotKind.True;
                break;
            case JsonTokenType.False:
                slot.Kind = SlotKind.False;
                break;
            case JsonTokenType.StartObject:
                slot.Kind = SlotKind.Object;
                Descend(ref reader, node);
                break;
            case JsonTokenType.StartArray:
                slot.Kind = SlotKind.Array;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    slot.Count++;
                    reader.Skip();
                }

                break;
        }
    }

    private void Descend(ref JsonScanner reader, PathTrie node)
    {
        if (reader.TokenType == JsonTokenType.StartObject && !node.IsEmpty)
            ReadObject(ref reader, node);
        else
            reader.Skip();
    }
}
