using System.Buffers;

namespace PaymentPlatform.Storage.Archive.Parquet;

internal sealed class MemorySegment : ReadOnlySequenceSegment<byte>
{
    private MemorySegment(ReadOnlyMemory<byte> memory, long runningIndex)
    {
        Memory = memory;
        RunningIndex = runningIndex;
    }

    /// <param name="memories">At least one.</param>
    public static ReadOnlySequence<byte> Sequence(IReadOnlyList<ReadOnlyMemory<byte>> memories)
    {
        var first = new MemorySegment(memories[0], 0);
        var last = first;
        foreach (var memory in memories.Skip(1))
        {
            var next = new MemorySegment(memory, last.RunningIndex + last.Memory.Length);
            last.Next = next;
            last = next;
        }

        return new(first, 0, last, last.Memory.Length);
    }
}
