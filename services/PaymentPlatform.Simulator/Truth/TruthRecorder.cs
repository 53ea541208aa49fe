using System.Buffers;
using System.Text.Json;

namespace PaymentPlatform.Simulator;

/// <summary>
/// Writes what was planted, one line an event, once the target has accepted it. The events of a group appear when there are enough of them to make the pattern:
/// a group that the end of the run cut short is none.
/// </summary>
internal sealed class TruthRecorder(Stream output) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Dictionary<long, Unfinished> _groups = [];

    /// <summary>Events of groups that are still too small.</summary>
    public int Withheld
    {
        get
        {
            lock (_lock)
                return _groups.Values.Sum(g => g.IsMade ? 0 : g.Events);
        }
    }

    public void Record(EventBatch batch, in SendOutcome outcome)
    {
        if (batch.Planted[0] == batch.Count)
            return;
        lock (_lock)
        {
            var rejected = outcome.Rejected == 0 ? [] : outcome.RejectedIndexes.ToHashSet();
            for (var i = 0; i < batch.Count; i++)
            {
                if (batch[i].Pattern != ViolationPattern.None && !rejected.Contains(i))
                    Add(batch, i);
            }

            output.Write(_buffer.WrittenSpan);
            _buffer.ResetWrittenCount();
        }
    }

    public void Dispose() => output.Dispose();

    private void Add(EventBatch batch, int index)
    {
        var planted = batch[index];
        if (planted.Group == 0)
        {
            Write(_buffer, batch, index);
            return;
        }

        if (!_groups.TryGetValue(planted.Group, out var group))
            _groups.Add(planted.Group, group = new());
        Write(group.IsMade ? _buffer : group.Lines, batch, index);
        group.Events++;
        if (!group.IsMade && group.Events >= ViolationPatterns.Smallest(planted.Pattern))
        {
            _buffer.Write(group.Lines.WrittenSpan);
            group.Lines.Clear();
            group.IsMade = true;
        }
    }

    private static void Write(ArrayBufferWriter<byte> target, EventBatch batch, int index)
    {
        var planted = batch[index];
        using (var json = new Utf8JsonWriter(target))
        {
            json.WriteStartObject();
            if (batch.Id(index) is { IsEmpty: false } id)
                json.WriteString("transaction_id"u8, id.Span);
            else
                json.WriteNull("transaction_id"u8);
            json.WriteString("pattern"u8, ViolationPatterns.Name(planted.Pattern));
            json.WriteString("family"u8, ViolationPatterns.Name(ViolationPatterns.Family(planted.Pattern)));
            if (planted.Group == 0)
                json.WriteNull("group_id"u8);
            else
                json.WriteString("group_id"u8, $"{ViolationPatterns.Name(planted.Pattern)}-{planted.Group}");
            json.WriteNumber("event_number"u8, batch.FirstNumber + index);
            json.WriteBoolean("is_valid"u8, planted.IsValid);
            json.WriteEndObject();
        }

        target.Write("\n"u8);
    }

    private sealed class Unfinished
    {
        public ArrayBufferWriter<byte> Lines { get; } = new();

        public int Events { get; set; }

        public bool IsMade { get; set; }
    }
}
