using System.Collections.Concurrent;
using PaymentPlatform.Faults.Model;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>What clerks asked for, and what they were told. Thread-safe.</summary>
/// <param name="maker">Of corrected events; numbers go on behind those that are sent.</param>
internal sealed class DeskOrders(EventMaker maker, int firstNumber)
{
    private readonly Lock _making = new();
    private int _next = firstNumber;

    /// <summary>Corrections that were offered for a dead letter: at most one may ever be in the stream.</summary>
    public ConcurrentQueue<(long Item, SentEvent Event)> Corrections { get; } = new();

    /// <summary>Where a dead letter stands for good, by an answer.</summary>
    public ConcurrentDictionary<long, string> Told { get; } = new();

    /// <summary>Replays by their targets.</summary>
    public ConcurrentQueue<ReplayOrder> Replays { get; } = new();

    public SentEvent Correct(long item)
    {
        lock (_making)
        {
            var made = maker.Correct(_next++);
            Corrections.Enqueue((item, made));
            return made;
        }
    }
}
